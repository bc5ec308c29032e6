package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// One device with the whole image; the reference that every strategy is measured by.
public enum Alone implements Cooperation {
  ALONE;

  @Override
  public Strip strip() {
    return Strip.WHOLE;
  }

  @Override
  public Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int heads) {
    return Ops.attention(q, k, v, heads, null);
  }

  @Override
  public Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
    return Ops.convolve(x, weight, bias, stride, padding, padding);
  }

  @Override
  public Tensor groupNorm(
      String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    return Ops.groupNorm(x, groups, weight, bias, epsilon);
  }
}
