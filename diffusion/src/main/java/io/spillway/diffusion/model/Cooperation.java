package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What a layer may ask of the other ranks while it works on its own strip of the image. A model's
/// forward pass is written once against this interface; a strategy is an implementation of it.
///
/// Layers are named as their parameters are, so that a rank finds the values that it got from its
/// neighbours for the same layer one step ago.
public interface Cooperation {
  /// The rows that this rank works on.
  ///
  /// @param index which strip, counted from the top
  /// @param count how many strips the image is cut into
  record Strip(int index, int count) {
    /// The whole image.
    public static final Strip WHOLE = new Strip(0, 1);

    /// First of the rows when the image has `rows` of them.
    public int begin(int rows) {
      return rows / count * index;
    }

    /// How many rows.
    public int rows(int rows) {
      if (rows % count != 0) {
        throw new IllegalArgumentException(rows + " rows in " + count + " strips");
      }
      return rows / count;
    }
  }

  Strip strip();

  /// Whether this rank's parameters are slices, so that [#sum] is needed after each pair of layers.
  default boolean splitsWeights() {
    return false;
  }

  /// Attention of the own queries over whatever keys and values the strategy brings together.
  ///
  /// **Shapes:** q, k, v [batch, own tokens, heads x width] -> the shape of q.
  Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int heads);

  /// Makes keys and values of a layer's input, its own or one that came from another rank.
  ///
  /// **Shapes:** [batch, tokens, width] -> [batch, tokens, heads x width].
  interface Projection {
    Tensor keys(Tensor x);

    Tensor values(Tensor x);
  }

  /// The same from the layer's input, which is half as much as keys and values, for strategies that
  /// exchange it instead.
  ///
  /// **Shapes:** q as above, x [batch, own tokens, width].
  default Tensor selfAttention(String layer, Tensor q, Tensor x, Projection made, int heads) {
    return selfAttention(layer, q, made.keys(x), made.values(x), heads);
  }

  /// Convolution over rows that are split among ranks.
  ///
  /// **Shapes:** x [batch, in, own rows, width], weight [out, in, kernel, kernel].
  Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding);

  /// Group normalisation with statistics of the whole image.
  ///
  /// **Shapes:** x [batch, channels, own rows, width].
  Tensor groupNorm(String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon);

  /// The sum of partial products over the ranks that hold slices of one weight.
  default Tensor sum(String layer, Tensor partial) {
    return partial;
  }
}
