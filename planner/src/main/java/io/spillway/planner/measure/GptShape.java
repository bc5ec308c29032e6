package io.spillway.planner.measure;

import io.spillway.platform.SpillwayException;

/// A small GPT: pre-norm blocks without biases and without trained norm weights, learned positions,
/// an output matrix of its own.
///
/// @param vocabulary tokens
/// @param sequence tokens of one sequence
public record GptShape(int layers, int hidden, int heads, int vocabulary, int sequence) {
  public GptShape {
    if (layers < 1 || hidden < 1 || heads < 1 || vocabulary < 2 || sequence < 1) {
      throw SpillwayException.badInput("a GPT of shape %d/%d/%d", layers, hidden, heads);
    }
    if (hidden % heads != 0) {
      throw SpillwayException.badInput("%d heads do not divide hidden %d", heads, hidden);
    }
  }

  public int headSize() {
    return hidden / heads;
  }

  /// Bytes of one sequence's residual stream in f32.
  public long residualBytes() {
    return 4L * sequence * hidden;
  }

  /// f32 bytes of one block's weights on one of `tp` ranks.
  public long layerBytes(int tp) {
    return 4L * 12 * hidden * hidden / tp;
  }

  /// f32 bytes of the embedding and the positions.
  public long embeddingBytes() {
    return 4L * hidden * (vocabulary + (long) sequence);
  }

  /// f32 bytes of the output matrix.
  public long headBytes() {
    return 4L * hidden * vocabulary;
  }
}
