package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// Group-norm statistics of all strips.
///
/// **Shapes:** own [2, batch, groups], all [ranks, 2, batch, groups], f32.
final class Moments {
  private Moments() {}

  static Bundle.Counts counts(Exchange exchange, long batch, long groups) {
    return Bundle.Counts.gathered(exchange.size(), 2 * batch * groups);
  }

  static void pack(Bundle.Place place, Tensor own) {
    place.outgoing(0).copy_(own.reshape(-1));
  }

  private static Tensor all(Bundle.Place place, Tensor own) {
    return place.seenOfAll().view(-1, 2, own.size(1), own.size(2));
  }

  /// Moments of the whole image from those that just arrived.
  static Tensor exact(Bundle.Place place, Tensor own) {
    return all(place, own).mean(0);
  }

  /// Moments of the whole image from stale ones of the others.
  static Tensor displaced(Bundle.Place place, Tensor own, Strategy.Sync sync, int rank, int ranks) {
    Tensor all = all(place, own);
    Tensor before = all.select(0, rank);
    // the others' stale values, the own fresh: the mean moves by a share of the own change
    return sync == Strategy.Sync.STALE_GN
        ? all.mean(0).add(own.sub(before), new Scalar(1.0 / ranks))
        : all.mean(0).add(own.sub(before));
  }
}
