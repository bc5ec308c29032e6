package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Cooperation;
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

  /// A layer's own strip: its input, [batch, tokens, width], the keys and values of it, and how
  /// they are made.
  record Own(Tensor input, Tensor both, Cooperation.Projection made) {
    static Own of(Tensor input, Cooperation.Projection made) {
      return new Own(input, both(input, made), made);
    }

    /// Keys and values of some inputs in one tensor.
    static Tensor both(Tensor input, Cooperation.Projection made) {
      return Ops.cat(List.of(made.keys(input), made.values(input)), 2);
    }
  }

  /// What travels for one layer in a displaced step.
  Bundle.Counts counts(long batch, int tokens, long width);

  /// What every rank gets of the own strip in a synchronous step.
  default Tensor shared(Own own) {
    return own.both();
  }

  /// Keys and values of all strips, [ranks, batch, tokens, 2 width], from what was shared.
  default Tensor received(Tensor strips, Own own) {
    return strips;
  }

  /// Puts what the others see where it is sent from.
  void pack(Bundle.Place place, Own own);

  /// Takes what this rank sees in the next step out of all strips.
  ///
  /// @param all [ranks, batch, tokens, 2 width]
  void keep(Bundle.Place place, Tensor all);

  /// The own fresh ones and what arrived.
  Seen seen(Bundle.Place place, Own own);

  /// Whether every displaced step reads and packs the same places.
  default boolean fixed() {
    return true;
  }

  /// Bytes that are kept beside what travels.
  default long bytes() {
    return 0;
  }

  /// Every rank sees all of every strip.
  record All(int rank, int ranks) implements Keys {
    @Override
    public Bundle.Counts counts(long batch, int tokens, long width) {
      return Bundle.Counts.gathered(ranks, batch * tokens * 2 * width);
    }

    @Override
    public void pack(Bundle.Place place, Own strip) {
      Tensor own = strip.both();
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
    public Seen seen(Bundle.Place place, Own strip) {
      Tensor own = strip.both();
      List<Tensor> parts = new ArrayList<>();
      for (int r = 0; r < ranks; r++) {
        parts.add(r == rank ? own : place.seen(r).view(own.size(0), own.size(1), own.size(2)));
      }
      return new Seen(Ops.cat(parts, 1), null, null);
    }
  }
}
