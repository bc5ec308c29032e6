package io.spillway.models;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Lays a conversation out as the model expects it, by the Jinja template of its folder.
///
/// **Source:** `chat_template` in Hugging Face's `tokenizer_config.json`, or `chat_template.jinja`
/// beside it.
public final class ChatTemplate {
  /// One message.
  ///
  /// @param role `system`, `user` or `assistant`
  public record Message(String role, String content) {}

  private static final long LARGEST_OUTPUT = 64L << 20;
  private static final int LARGEST_COLLECTION = 1_000_000;

  /// A conversation of 100,000 messages takes about a million.
  private static final long MOST_STEPS = 2_000_000;

  private static final Duration LONGEST = Duration.ofSeconds(20);

  /// Counts what one call of [#render] does; templates that nest loops without output would run for
  /// years.
  private static final ScopedValue<Budget> BUDGET = ScopedValue.newInstance();

  private static final class Budget {
    private final long until = System.nanoTime() + LONGEST.toNanos();
    private long steps;

    void step() {
      steps++;
      if (steps > MOST_STEPS || System.nanoTime() - until > 0) {
        throw new Exhausted();
      }
    }
  }

  /// An error and no exception, as the library turns exceptions into notes and goes on.
  private static final class Exhausted extends Error {
    private static final long serialVersionUID = 1L;

    Exhausted() {
      super("the template takes too many steps", null, false, false);
    }
  }

  private final Path source;
  private final String template;
  private final Map<String, Object> specials;
  private final Jinjava jinja;

  private ChatTemplate(Path source, String template, Map<String, Object> specials) {
    this.source = source;
    this.template = template;
    this.specials = Map.copyOf(specials);
    this.jinja =
        new Jinjava(
            JinjavaConfig.newBuilder()
                .withTrimBlocks(true)
                .withLstripBlocks(true)
                .withMaxOutputSize(LARGEST_OUTPUT)
                .withMaxStringLength(LARGEST_OUTPUT)
                .withMaxListSize(LARGEST_COLLECTION)
                .withMaxMapSize(LARGEST_COLLECTION)
                .withMaxRenderDepth(16)
                .withNodePreProcessor((_, _) -> BUDGET.get().step())
                .withLegacyOverrides(
                    LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withUsePyishObjectMapper(true)
                        .withUseNaturalOperatorPrecedence(true)
                        .withParseWhitespaceControlStrictly(true)
                        .withAllowAdjacentTextNodes(true)
                        .withUseTrimmingForNotesAndExpressions(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .build());
  }

  /// Opens the template of a model's folder.
  ///
  /// **Errors:** a folder without one.
  public static ChatTemplate open(Path folder) {
    Path config = folder.resolve("tokenizer_config.json");
    JsonNode root =
        Files.isRegularFile(config) ? Json.readTree(config) : Json.mapper().createObjectNode();
    Path own = folder.resolve("chat_template.jinja");
    String template;
    Path source;
    if (Files.isRegularFile(own)) {
      try {
        template = Files.readString(own);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + own + ": " + e.getMessage(), e);
      }
      source = own;
    } else {
      template = text(root.path("chat_template"));
      source = config;
    }
    if (template.isEmpty()) {
      throw SpillwayException.notFound(
          "%s has no chat template (chat_template in tokenizer_config.json or"
              + " chat_template.jinja); use plain completion",
          folder);
    }
    Map<String, Object> specials = new HashMap<>();
    for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      String value = special(root.path(name));
      if (!value.isEmpty()) {
        specials.put(name, value);
      }
    }
    return new ChatTemplate(source, template, specials);
  }

  /// Some folders hold several named templates; the default one is taken.
  private static String text(JsonNode node) {
    if (node.isArray()) {
      for (JsonNode named : node) {
        if (named.path("name").asString("").equals("default")) {
          return named.path("template").asString("");
        }
      }
      return "";
    }
    return node.isString() ? node.asString() : "";
  }

  private static String special(JsonNode node) {
    return node.isObject() ? node.path("content").asString("") : node.asString("");
  }

  /// The conversation as one text with special tokens.
  ///
  /// @param answer adds the begin of the assistant's turn
  ///
  ///   **Errors:** a template that fails, or that takes more steps or time than any real one.
  public String render(List<Message> messages, boolean answer) {
    Map<String, Object> context = new HashMap<>(specials);
    List<Map<String, Object>> list = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("role", message.role());
      entry.put("content", message.content());
      list.add(entry);
    }
    context.put("messages", list);
    context.put("add_generation_prompt", answer);
    RenderResult result;
    try {
      result =
          ScopedValue.where(BUDGET, new Budget())
              .call(() -> jinja.renderForResult(template, context));
    } catch (Exhausted e) {
      throw SpillwayException.badInput(
          "%s: the chat template does more than %,d steps or takes longer than %d s for %d"
              + " messages; mend its loops or use plain completion",
          source, MOST_STEPS, LONGEST.toSeconds(), messages.size());
    }
    if (result.hasErrors()) {
      throw SpillwayException.badInput(
          "%s: the chat template cannot lay these messages out: %s",
          source,
          String.valueOf(result.getErrors().getFirst().getMessage())
              .replaceAll("\\s+", " ")
              .strip());
    }
    return result.getOutput();
  }
}
