package io.spillway.platform.model;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A decoder architecture, under the name that `model_type` gives it.
public enum Family {
  LLAMA("llama"),
  MISTRAL("mistral"),
  MIXTRAL("mixtral"),
  QWEN2("qwen2"),
  QWEN3("qwen3"),
  QWEN3_MOE("qwen3_moe"),
  PHI3("phi3"),
  GPT2("gpt2"),
  GPT_NEOX("gpt_neox");

  private final String modelType;

  Family(String modelType) {
    this.modelType = modelType;
  }

  /// The value of `model_type` in config.json.
  public String modelType() {
    return modelType;
  }

  public static Optional<Family> of(String modelType) {
    return Arrays.stream(values()).filter(f -> f.modelType.equals(modelType)).findFirst();
  }

  static List<String> names() {
    return Arrays.stream(values()).map(Family::modelType).toList();
  }

  /// Biases and norms as the family's published implementation has them.
  Traits traits() {
    return switch (this) {
      case LLAMA, MISTRAL, MIXTRAL, PHI3 -> new Traits(false, false, false, false, false);
      case QWEN2 -> new Traits(true, false, false, false, false);
      case QWEN3, QWEN3_MOE -> new Traits(false, false, false, false, true);
      case GPT2, GPT_NEOX -> new Traits(true, true, true, true, false);
    };
  }

  boolean gated() {
    return this != GPT2 && this != GPT_NEOX;
  }

  /// What distinguishes one layer's parameters from another family's.
  ///
  /// @param qkvBias query, key and value projections carry biases
  /// @param outBias the attention's output projection does
  /// @param mlpBias the feed-forward projections do
  /// @param normBias norms have a bias beside the scale (LayerNorm, not RMSNorm)
  /// @param queryKeyNorm each head's queries and keys are normed
  public record Traits(
      boolean qkvBias, boolean outBias, boolean mlpBias, boolean normBias, boolean queryKeyNorm) {}
}
