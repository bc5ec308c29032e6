package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;

/// What the image is asked to show. Guided sampling stacks the unconditional and the conditional
/// half along the batch.
public sealed interface Condition {
  /// Class labels.
  ///
  /// @param labels [batch] i64
  record Labels(Tensor labels) implements Condition {}

  /// Text through cross-attention.
  ///
  /// @param states [batch, tokens, width]
  record Text(Tensor states) implements Condition {}

  /// Text with the pooled state and the size numbers that SDXL adds to the time.
  ///
  /// @param states [batch, tokens, 2048]
  /// @param pooled [batch, 1280]
  /// @param sizes [batch, 6]: original height, width, crop top, left, target height, width
  record SizedText(Tensor states, Tensor pooled, Tensor sizes) implements Condition {}

  /// Samples `begin` to `begin + count` of the batch.
  default Condition narrow(long begin, long count) {
    return switch (this) {
      case Labels(Tensor l) -> new Labels(l.narrow(0, begin, count));
      case Text(Tensor s) -> new Text(s.narrow(0, begin, count));
      case SizedText(Tensor s, Tensor p, Tensor z) ->
          new SizedText(
              s.narrow(0, begin, count), p.narrow(0, begin, count), z.narrow(0, begin, count));
    };
  }

  /// Samples in the batch.
  default long batch() {
    return switch (this) {
      case Labels(Tensor l) -> l.size(0);
      case Text(Tensor s) -> s.size(0);
      case SizedText(Tensor s, Tensor _, Tensor _) -> s.size(0);
    };
  }
}
