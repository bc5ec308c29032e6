package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Each strip as if it were an image of its own.
final class NaiveStrips extends RankCooperation {
  private final Exchange exchange;

  NaiveStrips(Exchange exchange) {
    this.exchange = exchange;
  }

  @Override
  public Strip strip() {
    return new Strip(exchange.rank(), exchange.size());
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

  @Override
  boolean recordable() {
    return true;
  }

  @Override
  Tensor gather(Tensor own) {
    return Strips.gatherRows(exchange, own);
  }
}
