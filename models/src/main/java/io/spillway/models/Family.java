package io.spillway.models;

/// The decoder families that load from a Hugging Face folder, by their `model_type`.
public enum Family {
  LLAMA("llama"),
  MISTRAL("mistral"),
  QWEN2("qwen2"),
  QWEN3("qwen3"),
  PHI3("phi3");

  private final String modelType;

  Family(String modelType) {
    this.modelType = modelType;
  }

  /// The value of `model_type` in `config.json`.
  public String modelType() {
    return modelType;
  }

  /// Query, key and value share one matrix, gate and up projection another.
  boolean fusesProjections() {
    return this == PHI3;
  }

  /// Queries and keys are normalised per head before they are rotated.
  boolean normalisesHeads() {
    return this == QWEN3;
  }
}
