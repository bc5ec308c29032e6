package io.spillway.diffusion.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// A network that looks at a noisy image and predicts the noise or the velocity in it.
public interface Denoiser extends AutoCloseable {
  /// Predicts for the own strip of the image.
  ///
  /// **Shapes:** x [batch, channels, rows, columns], the whole image, on every rank; times
  /// `[batch]`; the result is [batch, channels, own rows, columns].
  Tensor predict(Tensor x, Tensor times, Condition condition, Cooperation ranks);

  /// Channels of the image or latent.
  int channels();

  /// The image's rows and columns must be multiples of this.
  int rowMultiple();

  /// The weights.
  Parameters parameters();

  /// The same network over other weights, for example a rank's slices.
  Denoiser with(Parameters weights);

  /// The heads of every attention layer, which Ulysses and tensor parallelism deal out evenly.
  List<Integer> heads();

  /// Where one forward pass over an image of that size may exchange something, in order.
  List<Site> sites(int rows, int columns);

  /// Releases tables that the network made for itself; the weights are their owner's.
  @Override
  default void close() {}
}
