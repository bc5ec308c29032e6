package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Alone;
import io.spillway.diffusion.model.Parameters;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Tensor parallelism of the transformer blocks: each rank holds some heads of every attention and
/// some hidden units of every MLP; what follows is summed over ranks. Convolutions and embeddings
/// are whole on every rank.
final class SlicedWeights extends RankCooperation {
  private final Exchange exchange;

  SlicedWeights(Exchange exchange) {
    this.exchange = exchange;
  }

  /// The slices of one rank.
  static Parameters slice(Parameters whole, int rank, int ranks) {
    return whole.map((name, t) -> sliceOf(whole, name, t, rank, ranks));
  }

  private static Tensor sliceOf(Parameters whole, String name, Tensor t, int rank, int ranks) {
    if (name.matches(".*\\.attn[12]\\.to_[qkv]\\.(weight|bias)")) {
      return part(t, 0, rank, ranks);
    }
    if (name.endsWith(".to_out.0.weight") || name.endsWith(".ff.net.2.weight")) {
      return part(t, 1, rank, ranks);
    }
    if (name.matches(".*\\.ff\\.net\\.0\\.proj\\.(weight|bias)")) {
      Tensor after = whole.get(name.replaceAll("net\\.0\\.proj\\..*", "net.2.weight"));
      if (t.size(0) == after.size(1)) {
        return part(t, 0, rank, ranks);
      }
      // a gated MLP: the same units of both halves
      long half = t.size(0) / 2;
      return io.spillway.diffusion.model.Ops.cat(
          java.util.List.of(
              part(t.narrow(0, 0, half), 0, rank, ranks),
              part(t.narrow(0, half, half), 0, rank, ranks)),
          0);
    }
    return t;
  }

  private static Tensor part(Tensor t, int axis, int rank, int ranks) {
    long size = t.size(axis) / ranks;
    return t.narrow(axis, rank * size, size);
  }

  @Override
  public Strip strip() {
    return Strip.WHOLE;
  }

  @Override
  public boolean splitsWeights() {
    return true;
  }

  @Override
  public Tensor sum(String layer, Tensor partial) {
    Tensor whole = partial.contiguous();
    exchange.allReduce(whole).await();
    return whole;
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
  Tensor gather(Tensor own) {
    return own;
  }
}
