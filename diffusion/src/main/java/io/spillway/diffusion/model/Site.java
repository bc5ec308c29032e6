package io.spillway.diffusion.model;

/// A place in a network where ranks may exchange something; sizes are those of the whole image and
/// one sample.
public sealed interface Site {
  /// Self-attention over `tokens` of `width` numbers.
  record Attention(String layer, int tokens, int width) implements Site {}

  /// A convolution that reaches over the edges of a strip.
  record Convolution(String layer, int channels, int rows, int columns, int padding, int stride)
      implements Site {}

  /// Group normalisation.
  record Norm(String layer, int groups) implements Site {}

  /// Partial products that tensor parallelism sums.
  record Sum(String layer, int tokens, int width) implements Site {}

  /// The prediction, whole on every rank after each step.
  record Output(int channels, int rows, int columns) implements Site {}
}
