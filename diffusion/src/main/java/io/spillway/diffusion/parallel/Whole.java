package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Alone;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// One device of a guidance branch with the whole image.
final class Whole extends RankCooperation {
  @Override
  public Strip strip() {
    return Strip.WHOLE;
  }

  @Override
  public Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int heads) {
    return Alone.ALONE.selfAttention(layer, q, k, v, heads);
  }

  @Override
  public Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
    return Alone.ALONE.convolve(layer, x, weight, bias, stride, padding);
  }

  @Override
  public Tensor groupNorm(
      String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    return Alone.ALONE.groupNorm(layer, x, groups, weight, bias, epsilon);
  }

  @Override
  boolean recordable() {
    return true;
  }

  @Override
  Tensor gather(Tensor own) {
    return own;
  }
}
