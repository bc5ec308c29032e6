package io.spillway.server;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.generate.Sampling;
import io.spillway.models.ChatTemplate;
import io.spillway.models.ChatTemplate.Message;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.JsonBody;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Reads the bodies of OpenAI's requests. Besides OpenAI's keys it knows `policy`, `budget`,
/// `session`, `top_k`, `min_p` and `repetition_penalty`; keys it does not know are left alone.
///
/// **Errors:** wrong types and values out of range, with the key's name.
final class ApiRequest {
  private final JsonBody body;

  ApiRequest(JsonNode body) {
    this.body = new JsonBody(body);
  }

  boolean stream() {
    return body.flag("stream");
  }

  boolean streamUsage() {
    JsonNode options = body.path("stream_options");
    return options.isObject() && new JsonBody(options).flag("include_usage");
  }

  /// A chat request.
  Job chat(LongContextModel model, ServerSettings settings, ChatTemplate template) {
    JsonNode list = body.path("messages");
    if (!list.isArray() || list.isEmpty()) {
      throw SpillwayException.badInput("'messages' must be a list with at least one message");
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode node : list) {
      JsonNode role = node.path("role");
      if (!role.isString()
          || !List.of("system", "developer", "user", "assistant").contains(role.asString())) {
        throw SpillwayException.badInput(
            "each message needs a 'role': system, developer, user or assistant");
      }
      messages.add(new Message(role.asString(), content(node.path("content"))));
    }
    String text;
    if (session().isPresent()) {
      if (messages.size() != 1) {
        throw SpillwayException.badInput(
            "with a 'session' give one message, the question about its context");
      }
      text = " " + messages.getFirst().content().strip();
    } else {
      text = template.render(messages, true);
    }
    return job(model, settings, model.tokenizer().encode(text, false), Optional.empty());
  }

  private static String content(JsonNode node) {
    if (node.isString()) {
      return node.asString();
    }
    if (node.isArray()) {
      StringBuilder text = new StringBuilder();
      for (JsonNode part : node) {
        if (!part.path("type").asString("").equals("text") || !part.path("text").isString()) {
          throw SpillwayException.badInput("only message parts of the type text are supported");
        }
        text.append(part.path("text").asString());
      }
      return text.toString();
    }
    throw SpillwayException.badInput("'content' must be a text or a list of text parts");
  }

  /// A plain completion.
  Job completion(LongContextModel model, ServerSettings settings) {
    JsonNode prompt = body.path("prompt");
    if (!prompt.isString()) {
      throw SpillwayException.badInput("'prompt' must be a text");
    }
    int[] ids = model.tokenizer().encode(prompt.asString(), session().isEmpty());
    return job(model, settings, ids, Optional.empty());
  }

  /// A context to store.
  Job store(LongContextModel model, ServerSettings settings) {
    JsonNode context = body.path("context");
    if (!context.isString() || context.asString().isEmpty()) {
      throw SpillwayException.badInput("'context' must be a text");
    }
    JsonNode id = body.path("id");
    if (!id.isString()) {
      throw SpillwayException.badInput("'id' must be a text");
    }
    int[] ids = model.tokenizer().encode(context.asString(), true);
    return job(model, settings, ids, Optional.of(SessionStore.checked(id.asString())));
  }

  private Optional<String> session() {
    return body.text("session");
  }

  private Job job(
      LongContextModel model, ServerSettings settings, int[] ids, Optional<String> store) {
    if (ids.length == 0) {
      throw SpillwayException.badInput("the prompt has no tokens");
    }
    if (body.integer("n", 1, 1, 128) != 1) {
      throw SpillwayException.badInput("'n' must be 1; send several requests instead");
    }
    Policy policy =
        body.path("policy").isString()
            ? Policy.named(body.path("policy").asString())
            : settings.policy();
    if (store.isPresent() && policy.base() instanceof Policy.LocretQuery) {
      throw SpillwayException.badInput("a stored context has no question yet; use policy locret");
    }
    CacheSettings given = settings.cache();
    int budget = body.integer("budget", given.budget(), 2, 100_000_000);
    CacheSettings cache = given.withBudget(budget);
    int most =
        body.integer(
            "max_completion_tokens", body.integer("max_tokens", 256, 1, 1 << 20), 1, 1 << 20);
    return new Job(ids, policy, cache, sampling(), most, session(), store);
  }

  private Sampling sampling() {
    List<String> stop = new ArrayList<>();
    JsonNode node = body.path("stop");
    if (node.isString()) {
      stop.add(node.asString());
    } else if (node.isArray()) {
      for (JsonNode text : node) {
        if (!text.isString()) {
          throw SpillwayException.badInput("'stop' must be a text or a list of texts");
        }
        stop.add(text.asString());
      }
    } else if (!JsonBody.absent(node)) {
      throw SpillwayException.badInput("'stop' must be a text or a list of texts");
    }
    return new Sampling(
        body.number("temperature", 0),
        body.integer("top_k", 0, 0, 1_000_000),
        body.number("top_p", 1),
        body.number("min_p", 0),
        body.number("repetition_penalty", 1),
        stop,
        body.integer("seed", 1, Integer.MIN_VALUE, Integer.MAX_VALUE));
  }
}
