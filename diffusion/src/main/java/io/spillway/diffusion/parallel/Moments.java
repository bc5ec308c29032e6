package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.tensor.TensorHolder;
import org.bytedeco.pytorch.Tensor;

/// Group-norm statistics of all strips.
///
/// **Shapes:** own [2, batch, groups], the buffer [ranks, 2, batch, groups], f32.
final class Moments extends Remote {
  private final Exchange exchange;

  Moments(Exchange exchange, TensorHolder holder) {
    super(holder, false);
    this.exchange = exchange;
  }

  @Override
  Tensor buffer(Tensor own) {
    return Strips.like(own, exchange.size(), own.size(0), own.size(1), own.size(2));
  }

  @Override
  Exchange.Pending launch(Tensor own, Tensor into) {
    return exchange.allGather(own, into);
  }

  /// Fresh moments of the whole image.
  Tensor exact(Tensor own) {
    return fresh(own).mean(0);
  }

  /// Moments of the whole image from stale ones of the others.
  Tensor displaced(Tensor own, Strategy.Sync sync) {
    Tensor all = stale();
    Tensor before = all.select(0, exchange.rank());
    return switch (sync) {
      case SEPARATE_GN -> own;
      // the others' stale values, the own fresh: the mean moves by a share of the own change
      case STALE_GN ->
          all.mean(0).add(own.sub(before), new org.bytedeco.pytorch.Scalar(1.0 / exchange.size()));
      case CORRECTED_ASYNC_GN, NO_SYNC -> all.mean(0).add(own.sub(before));
      case SYNC_GN, FULL_SYNC -> throw new IllegalStateException(sync + " has no stale moments");
    };
  }
}
