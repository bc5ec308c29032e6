package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Partial conditioning: only the tokens of [Reach] are sent and kept, from rank to rank; averages
/// of pooled tokens stand for `g` keys each, so log g is added to their logits.
///
/// Synchronous steps see everything and gather it in a buffer that all layers share.
///
/// **Shapes:** the buffer is [slots, batch, 2 width], the part of each rank in one piece.
final class NearKeys extends Keys {
  /// One buffer for the synchronous steps of all layers.
  static final class Scratch {
    private final TensorHolder holder;
    private final List<Tensor> tensors = new ArrayList<>();

    Scratch(TensorHolder holder) {
      this.holder = holder;
    }

    Tensor of(Tensor own, int ranks) {
      for (Tensor t : tensors) {
        if (t.size(1) == own.size(0) && t.size(2) == own.size(1) && t.size(3) == own.size(2)) {
          return t;
        }
      }
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        Tensor t = holder.hold(Strips.like(own, ranks, own.size(0), own.size(1), own.size(2)));
        tensors.add(t);
        return t;
      }
    }

    long bytes() {
      return tensors.stream().mapToLong(t -> t.numel() * t.element_size()).sum();
    }
  }

  private final TensorHolder holder;
  private final Scratch scratch;
  private final double conditioning;
  private final int pool;
  private @Nullable Reach reach;
  private @Nullable Tensor bias;

  NearKeys(
      Exchange exchange,
      TensorHolder holder,
      Scratch scratch,
      double conditioning,
      int pool,
      boolean extrapolate) {
    super(exchange, holder, extrapolate);
    this.holder = holder;
    this.scratch = scratch;
    this.conditioning = conditioning;
    this.pool = pool;
  }

  private Reach reach(Tensor own) {
    Reach known = reach;
    if (known == null) {
      known = reachOf(exchange.rank(), own);
      reach = known;
    }
    return known;
  }

  private Reach reachOf(int rank, Tensor own) {
    return new Reach(rank, exchange.size(), Math.toIntExact(own.size(1)), conditioning, pool);
  }

  @Override
  Tensor buffer(Tensor own) {
    return Strips.like(own, reach(own).slots(), own.size(0), own.size(2));
  }

  @Override
  Exchange.Pending launch(Tensor own, Tensor into) {
    List<Exchange.Pending> pending = new ArrayList<>();
    Tensor first = own.transpose(0, 1);
    long at = 0;
    for (Reach.Part part : reach(own).parts()) {
      int slots = reach(own).slots(part);
      pending.add(exchange.receive(into.narrow(0, at, slots), part.from()));
      at += slots;
    }
    for (int r = 0; r < exchange.size(); r++) {
      Reach theirs = reachOf(r, own);
      for (Reach.Part part : theirs.parts()) {
        if (part.from() == exchange.rank()) {
          pending.add(exchange.send(message(first, part), r));
        }
      }
    }
    return () -> pending.forEach(Exchange.Pending::await);
  }

  /// The near tokens, then averages of the far ones.
  ///
  /// **Shapes:** strip [tokens, batch, 2 width] -> [slots, batch, 2 width].
  private Tensor message(Tensor strip, Reach.Part part) {
    List<Tensor> pieces = new ArrayList<>();
    if (part.nearCount() > 0) {
      pieces.add(strip.narrow(0, part.nearBegin(), part.nearCount()));
    }
    int groups = pool == 0 ? 0 : part.farCount() / pool;
    if (groups > 0) {
      pieces.add(
          strip
              .narrow(0, part.farBegin(), (long) groups * pool)
              .reshape(groups, pool, strip.size(1), strip.size(2))
              .mean(1));
    }
    int rest = part.farCount() - groups * pool;
    if (pool > 0 && rest > 0) {
      pieces.add(
          strip
              .narrow(0, part.farBegin() + (long) groups * pool, rest)
              .mean(new long[] {0}, true, new org.bytedeco.pytorch.ScalarTypeOptional()));
    }
    return Ops.cat(pieces, 0).contiguous();
  }

  @Override
  Tensor whole(Tensor own) {
    Tensor all = scratch.of(own, exchange.size());
    exchange.allGather(own, all).await();
    put(
        own,
        into -> {
          long at = 0;
          for (Reach.Part part : reach(own).parts()) {
            Tensor message = message(all.select(0, part.from()).transpose(0, 1), part);
            into.narrow(0, at, message.size(0)).copy_(message);
            at += message.size(0);
          }
        });
    return all.transpose(0, 1).reshape(own.size(0), -1, own.size(2));
  }

  @Override
  Tensor seen(Tensor own) {
    if (reach(own).slots() == 0) {
      return own;
    }
    return Ops.cat(List.of(own, stale().transpose(0, 1)), 1);
  }

  @Override
  @Nullable Tensor bias(Tensor own) {
    if (pool == 0 || reach(own).slots() == 0) {
      return null;
    }
    Tensor known = bias;
    if (known == null) {
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        float[] values = biasValues(Math.toIntExact(own.size(1)), reach(own));
        known =
            holder.hold(
                Tensors.of(values, 1, 1, 1, values.length).to(own.device(), own.scalar_type()));
      }
      bias = known;
    }
    return known;
  }

  private float[] biasValues(int own, Reach reach) {
    float[] values = new float[own + reach.slots()];
    int at = own;
    for (Reach.Part part : reach.parts()) {
      at += part.nearCount();
      for (int left = part.farCount(); left > 0; left -= pool) {
        values[at++] = (float) Math.log(Math.min(pool, left));
      }
    }
    return values;
  }

  @Override
  void start(Tensor own) {
    if (reach(own).slots() > 0) {
      super.start(own);
    }
  }
}
