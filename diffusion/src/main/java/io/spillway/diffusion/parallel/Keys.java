package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Which keys and values of other strips a displaced step's attention sees, beside the own fresh
/// ones.
///
/// **Shapes:** keys and values of a strip are one tensor, [batch, tokens, 2 width].
interface Keys {
  /// What one layer's attention sees.
  ///
  /// @param near [batch, keys, 2 width]
  /// @param pooled averages, [batch, pools, 2 width], or none
  /// @param bias log of how many keys each average stands for, [1, 1, 1, pools], or none
  record Seen(Tensor near, @Nullable Tensor pooled, @Nullable Tensor bias) {}

  /// What travels for one layer.
  Bundle.Counts counts(long batch, int tokens, long width2);

  /// Puts what the others see where it is sent from.
  void pack(Bundle.Place place, Tensor own);

  /// Takes what this rank sees in the next step out of all strips.
  ///
  /// @param all [ranks, batch, tokens, 2 width]
  void keep(Bundle.Place place, Tensor all);

  /// The own fresh ones and what arrived.
  Seen seen(Bundle.Place place, Tensor own);

  /// Every rank sees all of every strip.
  record All(int rank, int ranks) implements Keys {
    @Override
    public Bundle.Counts counts(long batch, int tokens, long width2) {
      return Bundle.Counts.gathered(ranks, batch * tokens * width2);
    }

    @Override
    public void pack(Bundle.Place place, Tensor own) {
      place.outgoing(0).view(own.size(0), own.size(1), own.size(2)).copy_(own);
    }

    @Override
    public void keep(Bundle.Place place, Tensor all) {
      for (int r = 0; r < ranks; r++) {
        place.arriving(r).copy_(all.select(0, r).reshape(-1));
      }
      place.keep();
    }

    @Override
    public Seen seen(Bundle.Place place, Tensor own) {
      List<Tensor> parts = new ArrayList<>();
      for (int r = 0; r < ranks; r++) {
        parts.add(r == rank ? own : place.seen(r).view(own.size(0), own.size(1), own.size(2)));
      }
      return new Seen(Ops.cat(parts, 1), null, null);
    }
  }
}
