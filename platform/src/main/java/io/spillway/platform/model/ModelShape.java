package io.spillway.platform.model;

import io.spillway.platform.SpillwayException;

/// The sizes of a decoder-only transformer, from which parameters, arithmetic and memory follow.
///
/// @param name how people call it
/// @param hidden width of the residual stream
/// @param heads query heads
/// @param kvHeads key and value heads
/// @param headDim width of one head
/// @param ffn width of the dense feed-forward layer
/// @param vocab rows of the embedding
/// @param maxSequence longest sequence
/// @param learnedPositions whether positions are a learned table
/// @param tied whether the output layer shares the embedding's weights
/// @param experts experts in each layer, 0 for a dense model
/// @param expertsPerToken experts that each token visits
/// @param expertFfn width of one expert
public record ModelShape(
    String name,
    Family family,
    Family.Traits traits,
    int hidden,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int ffn,
    int vocab,
    int maxSequence,
    boolean learnedPositions,
    boolean tied,
    int experts,
    int expertsPerToken,
    int expertFfn) {
  private static final int LARGEST = 1 << 24;

  public ModelShape {
    range(name, "hidden_size", hidden, 1, LARGEST);
    range(name, "num_hidden_layers", layers, 1, 10_000);
    range(name, "num_attention_heads", heads, 1, LARGEST);
    range(name, "num_key_value_heads", kvHeads, 1, heads);
    range(name, "head_dim", headDim, 1, LARGEST);
    range(name, "intermediate_size", ffn, 1, LARGEST);
    range(name, "vocab_size", vocab, 1, LARGEST);
    range(name, "max_position_embeddings", maxSequence, 1, 1 << 30);
    range(name, "num_experts", experts, 0, 100_000);
    if (heads % kvHeads != 0) {
      throw SpillwayException.badInput(
          "%s: %d attention heads cannot share %d key-value heads evenly", name, heads, kvHeads);
    }
    if (experts > 0) {
      range(name, "num_experts_per_tok", expertsPerToken, 1, experts);
      range(name, "moe_intermediate_size", expertFfn, 1, LARGEST);
    }
  }

  /// A GPT of the given sizes with biases, learned positions and tied embeddings, as Megatron-LM
  /// trains it.
  public static ModelShape gpt(
      String name, int hidden, int layers, int heads, int vocab, int maxSequence) {
    return gpt(name, hidden, layers, heads, 4 * hidden, vocab, maxSequence);
  }

  /// A GPT whose feed-forward width is not four times the hidden width.
  public static ModelShape gpt(
      String name, int hidden, int layers, int heads, int ffn, int vocab, int maxSequence) {
    if (heads < 1 || hidden % heads != 0) {
      throw SpillwayException.badInput(
          "%s: a hidden size of %d cannot be cut into %d heads", name, hidden, heads);
    }
    return new ModelShape(
        name,
        Family.GPT2,
        Family.GPT2.traits(),
        hidden,
        layers,
        heads,
        heads,
        hidden / heads,
        ffn,
        vocab,
        maxSequence,
        true,
        true,
        0,
        0,
        0);
  }

  /// The same shape under another name.
  public ModelShape withName(String other) {
    return new ModelShape(
        other,
        family,
        traits,
        hidden,
        layers,
        heads,
        kvHeads,
        headDim,
        ffn,
        vocab,
        maxSequence,
        learnedPositions,
        tied,
        experts,
        expertsPerToken,
        expertFfn);
  }

  /// Whether the feed-forward layer has a gate (three matrices instead of two).
  public boolean gated() {
    return family.gated();
  }

  public boolean isMixture() {
    return experts > 0;
  }

  /// Width of all query heads.
  public long queryWidth() {
    return (long) heads * headDim;
  }

  /// Width of all key heads.
  public long keyWidth() {
    return (long) kvHeads * headDim;
  }

  /// Parameters of one layer's attention, without norms of the layer.
  public long attentionParameters() {
    long qkv = (long) hidden * (queryWidth() + 2 * keyWidth());
    long bias = traits.qkvBias() ? queryWidth() + 2 * keyWidth() : 0;
    long out = queryWidth() * hidden + (traits.outBias() ? hidden : 0);
    return qkv + bias + out + (traits.queryKeyNorm() ? 2L * headDim : 0);
  }

  /// Parameters of one layer's feed-forward part, all experts and the router included.
  public long feedForwardParameters() {
    return isMixture() ? experts * expertParameters() + (long) hidden * experts : projections(ffn);
  }

  /// Parameters of one expert.
  public long expertParameters() {
    return isMixture() ? projections(expertFfn) : 0;
  }

  /// Parameters of one layer.
  public long layerParameters() {
    return attentionParameters() + feedForwardParameters() + 2 * normParameters();
  }

  /// Parameters of one layer that a token passes through.
  public long activeLayerParameters() {
    return isMixture()
        ? layerParameters() - (experts - expertsPerToken) * expertParameters()
        : layerParameters();
  }

  /// Parameters of the embedding of tokens and positions.
  public long embeddingParameters() {
    return (long) vocab * hidden + (learnedPositions ? (long) maxSequence * hidden : 0);
  }

  /// Parameters of the output layer, whether or not they are the embedding's.
  public long outputParameters() {
    return (long) vocab * hidden;
  }

  public long normParameters() {
    return traits.normBias() ? 2L * hidden : hidden;
  }

  /// All parameters; shared ones count once.
  public long parameters() {
    return embeddingParameters()
        + layers * layerParameters()
        + normParameters()
        + (tied ? 0 : outputParameters());
  }

  /// Parameters that one token passes through.
  public long activeParameters() {
    return parameters() - layers * (layerParameters() - activeLayerParameters());
  }

  private long projections(int width) {
    long weights = (family.gated() ? 3L : 2L) * hidden * width;
    return weights + (traits.mlpBias() ? (long) width + hidden : 0);
  }

  private static void range(String name, String what, int value, int low, int high) {
    if (value < low || value > high) {
      throw SpillwayException.badInput(
          "%s: %s is %d, %d to %d is accepted", name, what, value, low, high);
    }
  }
}
