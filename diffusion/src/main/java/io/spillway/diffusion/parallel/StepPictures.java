package io.spillway.diffusion.parallel;

import java.util.function.IntConsumer;

/// Told after each step like any consumer, and shown the picture as far as it is drawn. A pipeline
/// has parts of several steps under way and shows none.
public interface StepPictures extends IntConsumer {
  /// After step `step`, on the thread of rank 0.
  ///
  /// @param image what the denoiser will see next, [batch, channels, rows, columns]
  void picture(int step, float[] image);
}
