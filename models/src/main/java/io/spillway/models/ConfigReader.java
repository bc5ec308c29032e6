package io.spillway.models;

import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads and writes Hugging Face's `config.json`.
///
/// **Errors:** an unknown architecture, missing or contradicting entries, with the file's name.
public final class ConfigReader {
  private final Path file;
  private final JsonNode root;

  private ConfigReader(Path file) {
    this.file = file;
    this.root = Json.readTree(file);
  }

  /// Reads `folder/config.json`, and `generation_config.json` beside it for the end tokens.
  public static DecoderConfig read(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw SpillwayException.notFound(
          "%s is no folder; a model is a folder with config.json, *.safetensors and"
              + " tokenizer.json",
          folder);
    }
    return new ConfigReader(folder.resolve("config.json")).read();
  }

  private DecoderConfig read() {
    if (!root.isObject()) {
      throw SpillwayException.badFile(file, "", "an object was expected");
    }
    Family family = family();
    int hidden = integer("hidden_size", null);
    int heads = integer("num_attention_heads", null);
    if (heads < 1) {
      throw SpillwayException.badFile(
          file, "", "num_attention_heads is %d, it must be at least 1", heads);
    }
    int headDim = integer("head_dim", hidden / heads);
    int maxPositions = integer("max_position_embeddings", 2048);
    double partial = number("partial_rotary_factor", 1.0);
    int layers = integer("num_hidden_layers", null);
    try {
      return new DecoderConfig(
          family,
          integer("vocab_size", null),
          hidden,
          layers,
          heads,
          integer("num_key_value_heads", heads),
          headDim,
          integer("intermediate_size", null),
          maxPositions,
          theta(),
          (int) (headDim * partial) / 2 * 2,
          scaling(maxPositions),
          number("rms_norm_eps", 1e-6),
          flag("tie_word_embeddings", false),
          family == Family.QWEN2 || flag("attention_bias", false),
          slidingWindow(family, layers),
          endTokens());
    } catch (IllegalArgumentException e) {
      throw SpillwayException.badFile(file, "", "%s", String.valueOf(e.getMessage()));
    }
  }

  private Family family() {
    String type = root.path("model_type").asString("");
    List<String> known = Arrays.stream(Family.values()).map(Family::modelType).toList();
    if (!known.contains(type)) {
      throw SpillwayException.badFile(
          file, "", "model_type '%s' is not supported; known are %s", type, known);
    }
    return Family.values()[known.indexOf(type)];
  }

  private int slidingWindow(Family family, int layers) {
    if (family == Family.QWEN2 || family == Family.QWEN3) {
      if (!flag("use_sliding_window", false)) {
        return 0;
      }
      int whole = integer("max_window_layers", 28); // layers below it see everything
      if (whole >= layers) {
        return 0;
      }
      if (whole > 0) {
        throw SpillwayException.badFile(
            file,
            "",
            "a sliding window in some layers only (max_window_layers %d of %d) is not supported",
            whole,
            layers);
      }
    }
    return integer("sliding_window", 0);
  }

  private double theta() {
    JsonNode parameters = root.path("rope_parameters");
    if (parameters.isObject() && parameters.path("rope_theta").isNumber()) {
      return parameters.path("rope_theta").asDouble();
    }
    return number("rope_theta", 1e4);
  }

  private RopeScaling scaling(int maxPositions) {
    JsonNode node =
        root.path("rope_scaling").isObject()
            ? root.path("rope_scaling")
            : root.path("rope_parameters");
    if (!node.isObject()) {
      return new RopeScaling.None();
    }
    String type = node.path("rope_type").asString(node.path("type").asString("default"));
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(scalingNumber(node, "factor"));
      case "llama3" ->
          new RopeScaling.Llama3(
              scalingNumber(node, "factor"),
              scalingNumber(node, "low_freq_factor"),
              scalingNumber(node, "high_freq_factor"),
              (int) scalingNumber(node, "original_max_position_embeddings"));
      case "longrope", "su" ->
          new RopeScaling.LongRope(
              factors(node, "short_factor"),
              factors(node, "long_factor"),
              integer("original_max_position_embeddings", maxPositions));
      default ->
          throw SpillwayException.badFile(
              file,
              "",
              "rope_scaling type '%s' is not supported; known are default, linear, llama3,"
                  + " longrope",
              type);
    };
  }

  private double scalingNumber(JsonNode node, String key) {
    if (!node.path(key).isNumber()) {
      throw SpillwayException.badFile(file, "", "rope_scaling.%s is missing or no number", key);
    }
    return node.path(key).asDouble();
  }

  private List<Double> factors(JsonNode node, String key) {
    if (!node.path(key).isArray()) {
      throw SpillwayException.badFile(file, "", "rope_scaling.%s is missing or no list", key);
    }
    List<Double> factors = new ArrayList<>();
    for (JsonNode factor : node.path(key)) {
      if (!factor.isNumber() || !(factor.asDouble() > 0)) {
        throw SpillwayException.badFile(
            file, "", "rope_scaling.%s holds %s, positive numbers are needed", key, factor);
      }
      factors.add(factor.asDouble());
    }
    return factors;
  }

  private List<Integer> endTokens() {
    Path folder = Optional.ofNullable(file.getParent()).orElse(Path.of(""));
    Path generation = folder.resolve("generation_config.json");
    JsonNode node =
        Files.isRegularFile(generation)
            ? Json.readTree(generation).path("eos_token_id")
            : root.path("eos_token_id");
    if (node.isMissingNode() || node.isNull()) {
      node = root.path("eos_token_id");
    }
    List<Integer> ends = new ArrayList<>();
    if (node.isInt()) {
      ends.add(node.asInt());
    } else if (node.isArray()) {
      node.forEach(id -> ends.add(id.asInt()));
    }
    return ends;
  }

  private int integer(String key, @Nullable Integer fallback) {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      if (fallback == null) {
        throw SpillwayException.badFile(file, "", "%s is missing", key);
      }
      return fallback;
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw SpillwayException.badFile(file, "", "%s is %s, a whole number is needed", key, node);
    }
    return node.asInt();
  }

  private double number(String key, double fallback) {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return fallback;
    }
    if (!node.isNumber()) {
      throw SpillwayException.badFile(file, "", "%s is %s, a number is needed", key, node);
    }
    return node.asDouble();
  }

  private boolean flag(String key, boolean fallback) {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return fallback;
    }
    if (!node.isBoolean()) {
      throw SpillwayException.badFile(file, "", "%s is %s, true or false is needed", key, node);
    }
    return node.asBoolean();
  }

  /// The `config.json` of a shape, as [#read] understands it.
  public static String write(DecoderConfig config, String dtype) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("architectures", List.of(architecture(config.family())));
    out.put("model_type", config.family().modelType());
    out.put("vocab_size", config.vocabulary());
    out.put("hidden_size", config.hidden());
    out.put("num_hidden_layers", config.layers());
    out.put("num_attention_heads", config.heads());
    out.put("num_key_value_heads", config.kvHeads());
    out.put("head_dim", config.headDim());
    out.put("intermediate_size", config.intermediate());
    out.put("max_position_embeddings", config.maxPositions());
    out.put("hidden_act", "silu");
    out.put("rope_theta", config.ropeTheta());
    if (config.rotaryDim() != config.headDim()) {
      out.put("partial_rotary_factor", (double) config.rotaryDim() / config.headDim());
    }
    switch (config.ropeScaling()) {
      case RopeScaling.None none -> {}
      case RopeScaling.Linear linear ->
          out.put("rope_scaling", Map.of("rope_type", "linear", "factor", linear.factor()));
      case RopeScaling.Llama3 llama3 ->
          out.put(
              "rope_scaling",
              Map.of(
                  "rope_type",
                  "llama3",
                  "factor",
                  llama3.factor(),
                  "low_freq_factor",
                  llama3.lowFrequencyFactor(),
                  "high_freq_factor",
                  llama3.highFrequencyFactor(),
                  "original_max_position_embeddings",
                  llama3.originalPositions()));
      case RopeScaling.LongRope longRope -> {
        out.put("original_max_position_embeddings", longRope.originalPositions());
        out.put(
            "rope_scaling",
            Map.of(
                "type",
                "longrope",
                "short_factor",
                longRope.shortFactors(),
                "long_factor",
                longRope.longFactors()));
      }
    }
    out.put("rms_norm_eps", config.normEpsilon());
    out.put("tie_word_embeddings", config.tiedEmbeddings());
    out.put("attention_bias", config.attentionBias());
    if (config.slidingWindow() > 0) {
      out.put("sliding_window", config.slidingWindow());
      out.put("use_sliding_window", true);
      out.put("max_window_layers", 0);
    }
    if (!config.endTokens().isEmpty()) {
      out.put("eos_token_id", config.endTokens());
    }
    out.put("torch_dtype", dtype);
    return Json.write(out);
  }

  private static String architecture(Family family) {
    return switch (family) {
      case LLAMA -> "LlamaForCausalLM";
      case MISTRAL -> "MistralForCausalLM";
      case QWEN2 -> "Qwen2ForCausalLM";
      case QWEN3 -> "Qwen3ForCausalLM";
      case PHI3 -> "Phi3ForCausalLM";
    };
  }
}
