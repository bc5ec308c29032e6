package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;

/// A network that looks at a noisy image and predicts the noise or the velocity in it.
public interface Denoiser {
  /// Predicts for the own strip of the image.
  ///
  /// **Shapes:** x [batch, channels, rows, columns], the whole image, on every rank; times [batch];
  /// the result is [batch, channels, own rows, columns].
  Tensor predict(Tensor x, Tensor times, Condition condition, Cooperation ranks);

  /// Channels of the image or latent.
  int channels();

  /// The image's rows and columns must be multiples of this.
  int rowMultiple();

  /// The weights.
  Parameters parameters();
}
