package io.spillway.platform.model;

import io.spillway.platform.Json;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import tools.jackson.databind.JsonNode;

/// Reads the shape of a model from Hugging Face's `config.json`; keys that say nothing about sizes
/// are passed over.
public final class HuggingFaceConfig {
  private final JsonNode root;
  private final String source;

  private HuggingFaceConfig(JsonNode root, String source) {
    this.root = root;
    this.source = source;
  }

  /// Reads `config.json`, or the one inside a model's folder.
  ///
  /// **Errors:** a missing file, an unknown `model_type`, sizes that are missing or no positive
  /// whole numbers.
  public static ModelShape read(Path fileOrFolder) {
    Path file =
        Files.isDirectory(fileOrFolder) ? fileOrFolder.resolve("config.json") : fileOrFolder;
    Path named = file.toAbsolutePath().getParent();
    String name =
        named == null || named.getFileName() == null
            ? file.toString()
            : named.getFileName().toString();
    return shape(Json.readTree(file), name, file.toString());
  }

  /// Parses the text of a `config.json`.
  public static ModelShape parse(String text, String name, String source) {
    return shape(Json.parse(text, JsonNode.class, source), name, source);
  }

  private static ModelShape shape(JsonNode root, String name, String source) {
    if (!root.isObject()) {
      throw SpillwayException.badInput("%s: a JSON object was expected", source);
    }
    HuggingFaceConfig config = new HuggingFaceConfig(root, source);
    String type = config.text("model_type");
    Family family =
        Family.of(type)
            .orElseThrow(() ->
                SpillwayException.badInput(
                    "%s: model_type '%s' is not supported, %s",
                    source, type, Nearest.hint(type, Family.names())));
    try {
      return switch (family) {
        case GPT2 -> config.gpt2(name);
        case GPT_NEOX -> config.gptNeox(name);
        case LLAMA, MISTRAL, MIXTRAL, QWEN2, QWEN3, QWEN3_MOE, PHI3 -> config.llama(name, family);
      };
    } catch (SpillwayException e) {
      if (String.valueOf(e.getMessage()).startsWith(source)) {
        throw e;
      }
      throw SpillwayException.badInput("%s: %s", source, e.getMessage());
    }
  }

  private ModelShape llama(String name, Family family) {
    int hidden = integer("hidden_size");
    int heads = integer("num_attention_heads");
    Family.Traits usual = family.traits();
    boolean attentionBias = flag(usual.qkvBias(), "attention_bias");
    Family.Traits traits =
        new Family.Traits(
            attentionBias,
            family == Family.QWEN2 ? false : attentionBias,
            flag(usual.mlpBias(), "mlp_bias"),
            false,
            usual.queryKeyNorm());
    int ffn = integer("intermediate_size");
    int experts =
        switch (family) {
          case MIXTRAL -> integer("num_local_experts");
          case QWEN3_MOE -> integer("num_experts", "num_local_experts");
          case LLAMA, MISTRAL, QWEN2, QWEN3, PHI3, GPT2, GPT_NEOX -> 0;
        };
    return new ModelShape(
        name,
        family,
        traits,
        hidden,
        integer("num_hidden_layers"),
        heads,
        optional(heads, "num_key_value_heads"),
        optional(perHead(hidden, heads), "head_dim"),
        ffn,
        integer("vocab_size"),
        integer("max_position_embeddings"),
        false,
        flag(false, "tie_word_embeddings"),
        experts,
        experts > 0 ? integer("num_experts_per_tok") : 0,
        experts > 0 ? optional(ffn, "moe_intermediate_size") : 0);
  }

  private ModelShape gpt2(String name) {
    int hidden = integer("n_embd", "hidden_size");
    return ModelShape.gpt(
        name,
        hidden,
        integer("n_layer", "num_hidden_layers"),
        integer("n_head", "num_attention_heads"),
        optional(4 * hidden, "n_inner"),
        integer("vocab_size"),
        integer("n_positions", "n_ctx", "max_position_embeddings"));
  }

  private ModelShape gptNeox(String name) {
    int hidden = integer("hidden_size");
    int heads = integer("num_attention_heads");
    return new ModelShape(
        name,
        Family.GPT_NEOX,
        Family.GPT_NEOX.traits(),
        hidden,
        integer("num_hidden_layers"),
        heads,
        heads,
        perHead(hidden, heads),
        integer("intermediate_size"),
        integer("vocab_size"),
        integer("max_position_embeddings"),
        false,
        flag(false, "tie_word_embeddings"),
        0,
        0,
        0);
  }

  private int perHead(int hidden, int heads) {
    if (heads < 1 || hidden % heads != 0 && !root.has("head_dim")) {
      throw SpillwayException.badInput(
          "%s: hidden_size %d cannot be cut into num_attention_heads %d", source, hidden, heads);
    }
    return hidden / heads;
  }

  private String text(String key) {
    JsonNode node = root.get(key);
    if (node == null || !node.isString()) {
      throw SpillwayException.badInput("%s: key '%s' is missing or no text", source, key);
    }
    return node.asString();
  }

  private boolean flag(boolean byDefault, String key) {
    JsonNode node = root.get(key);
    return node == null || node.isNull() ? byDefault : node.asBoolean(byDefault);
  }

  private int optional(int byDefault, String key) {
    JsonNode node = root.get(key);
    return node == null || node.isNull() ? byDefault : integer(key);
  }

  private int integer(String... keys) {
    for (String key : keys) {
      JsonNode node = root.get(key);
      if (node != null && !node.isNull()) {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
          throw SpillwayException.badInput(
              "%s: '%s' is %s, a whole number above 0 is needed", source, key, node);
        }
        return node.intValue();
      }
    }
    throw SpillwayException.badInput(
        "%s: key '%s' is missing", source, String.join("' or '", Arrays.asList(keys)));
  }
}
