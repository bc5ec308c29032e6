package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

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
  /// @param mask added to the logits of each token, [batch, 1, 1, tokens]: 0, or very negative for
  ///   padding; none if all tokens count
  /// @param sizes [batch, 3]: height and width in pixels, height / width; for models that want it
  record Text(Tensor states, @Nullable Tensor mask, @Nullable Tensor sizes) implements Condition {}

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
      case Text(Tensor s, Tensor m, Tensor z) ->
          new Text(
              s.narrow(0, begin, count),
              m == null ? null : m.narrow(0, begin, count),
              z == null ? null : z.narrow(0, begin, count));
      case SizedText(Tensor s, Tensor p, Tensor z) ->
          new SizedText(
              s.narrow(0, begin, count), p.narrow(0, begin, count), z.narrow(0, begin, count));
    };
  }

  /// Samples in the batch.
  default long batch() {
    return switch (this) {
      case Labels(Tensor l) -> l.size(0);
      case Text(Tensor s, Tensor _, Tensor _) -> s.size(0);
      case SizedText(Tensor s, Tensor _, Tensor _) -> s.size(0);
    };
  }
}
