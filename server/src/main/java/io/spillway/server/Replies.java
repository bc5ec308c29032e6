package io.spillway.server;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The shapes of OpenAI's answers to one request.
final class Replies {
  private final boolean chat;
  private final String id;
  private final String model;
  private final long created = Instant.now().getEpochSecond();

  Replies(boolean chat, long number, String model) {
    this.chat = chat;
    this.id = (chat ? "chatcmpl-" : "cmpl-") + number;
    this.model = model;
  }

  Map<String, Object> whole(String text, Job.Event.Done done) {
    Map<String, Object> choice = new LinkedHashMap<>();
    choice.put("index", 0);
    if (chat) {
      choice.put("message", Map.of("role", "assistant", "content", text.stripLeading()));
    } else {
      choice.put("text", text);
    }
    choice.put("finish_reason", done.reason());
    Map<String, Object> out = envelope(chat ? "chat.completion" : "text_completion", choice);
    out.put("usage", counts(done));
    return out;
  }

  Map<String, Object> piece(String text, boolean first) {
    Map<String, Object> choice = new LinkedHashMap<>();
    choice.put("index", 0);
    if (chat) {
      Map<String, Object> delta = new LinkedHashMap<>();
      if (first) {
        delta.put("role", "assistant");
      }
      delta.put("content", first ? text.stripLeading() : text);
      choice.put("delta", delta);
    } else {
      choice.put("text", text);
    }
    choice.put("finish_reason", null);
    return envelope(chat ? "chat.completion.chunk" : "text_completion", choice);
  }

  Map<String, Object> last(Job.Event.Done done) {
    Map<String, Object> choice = new LinkedHashMap<>();
    choice.put("index", 0);
    if (chat) {
      choice.put("delta", Map.of());
    } else {
      choice.put("text", "");
    }
    choice.put("finish_reason", done.reason());
    return envelope(chat ? "chat.completion.chunk" : "text_completion", choice);
  }

  Map<String, Object> usage(Job.Event.Done done) {
    Map<String, Object> out = envelope(chat ? "chat.completion.chunk" : "text_completion", null);
    out.put("usage", counts(done));
    return out;
  }

  private Map<String, Object> envelope(String object, @Nullable Map<String, Object> choice) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", id);
    out.put("object", object);
    out.put("created", created);
    out.put("model", model);
    out.put("choices", choice == null ? List.of() : List.of(choice));
    return out;
  }

  private static Map<String, Object> counts(Job.Event.Done done) {
    Map<String, Object> usage = new LinkedHashMap<>();
    usage.put("prompt_tokens", done.promptTokens());
    usage.put("completion_tokens", done.answerTokens());
    usage.put("total_tokens", done.promptTokens() + done.answerTokens());
    return usage;
  }
}
