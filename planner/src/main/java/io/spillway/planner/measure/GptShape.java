package io.spillway.planner.measure;

import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;

/// A small GPT: pre-norm blocks without biases and without trained norm weights, learned positions,
/// an output matrix of its own.
///
/// @param vocabulary tokens
/// @param sequence tokens of one sequence
/// @param type of weights, activations and gradients
public record GptShape(
    int layers, int hidden, int heads, int vocabulary, int sequence, DType type) {
  public GptShape {
    if (layers < 1 || hidden < 1 || heads < 1 || vocabulary < 2 || sequence < 1) {
      throw SpillwayException.badInput("a GPT of shape %d/%d/%d", layers, hidden, heads);
    }
    if (hidden % heads != 0) {
      throw SpillwayException.badInput("%d heads do not divide hidden %d", heads, hidden);
    }
  }

  /// In f32.
  public GptShape(int layers, int hidden, int heads, int vocabulary, int sequence) {
    this(layers, hidden, heads, vocabulary, sequence, DType.F32);
  }

  public int headSize() {
    return hidden / heads;
  }

  /// Bytes of one sequence's residual stream.
  public long residualBytes() {
    return (long) type.bytes() * sequence * hidden;
  }

  /// Bytes of one block's weights on one of `tp` ranks.
  public long layerBytes(int tp) {
    return (long) type.bytes() * 12 * hidden * hidden / tp;
  }

  /// Bytes of the embedding and the positions.
  public long embeddingBytes() {
    return (long) type.bytes() * hidden * (vocabulary + (long) sequence);
  }

  /// Bytes of the output matrix.
  public long headBytes() {
    return (long) type.bytes() * hidden * vocabulary;
  }
}
