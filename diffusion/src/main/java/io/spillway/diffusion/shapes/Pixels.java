package io.spillway.diffusion.shapes;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Folds pixels into channels: a network with 3 k² channels works on squares of k x k pixels, the
/// simplest exact stand-in for a latent space.
public final class Pixels {
  private Pixels() {}

  /// k for a network with that many channels.
  ///
  /// **Errors:** [IllegalArgumentException] when the channels are no 3 k².
  public static int fold(int channels) {
    int fold = (int) Math.round(Math.sqrt(channels / 3.0));
    if (3 * fold * fold != channels) {
      throw new IllegalArgumentException(channels + " channels fold no RGB pixels");
    }
    return fold;
  }

  /// [batch, 3, k rows, k columns] -> [batch, 3 k², rows, columns].
  public static Tensor encode(Tensor image, int channels) {
    int fold = fold(channels);
    return fold == 1 ? image : torch.pixel_unshuffle(image, fold);
  }

  /// The inverse of [#encode].
  public static Tensor decode(Tensor folded) {
    int fold = fold(Math.toIntExact(folded.size(1)));
    return fold == 1 ? folded : torch.pixel_shuffle(folded, fold);
  }
}
