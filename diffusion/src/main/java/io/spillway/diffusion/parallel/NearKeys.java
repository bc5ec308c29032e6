package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;

/// Partial conditioning: only the tokens of [Reach] are sent and kept, from rank to rank; an
/// average of g pooled tokens stands for g keys, so log g is added to its logit.
///
/// **Shapes:** what one rank sends to another is [batch, near tokens then averages, 2 width].
final class NearKeys implements Keys {
  private final int rank;
  private final int ranks;
  private final TensorHolder holder;
  private final double conditioning;
  private final int pool;
  private final Map<Integer, Tensor> biases = new HashMap<>(); // by tokens of a strip

  NearKeys(int rank, int ranks, TensorHolder holder, double conditioning, int pool) {
    this.rank = rank;
    this.ranks = ranks;
    this.holder = holder;
    this.conditioning = conditioning;
    this.pool = pool;
  }

  private Reach reach(int of, long tokens) {
    return new Reach(of, ranks, Math.toIntExact(tokens), conditioning, pool);
  }

  @Override
  public Bundle.Counts counts(long batch, int tokens, long width) {
    long[] to = new long[ranks];
    long[] from = new long[ranks];
    for (int r = 0; r < ranks; r++) {
      Reach reach = reach(r, tokens);
      for (Reach.Part part : reach.parts()) {
        if (r == rank) {
          from[part.from()] = reach.slots(part) * batch * 2 * width;
        } else if (part.from() == rank) {
          to[r] = reach.slots(part) * batch * 2 * width;
        }
      }
    }
    return new Bundle.Counts(false, to, from);
  }

  @Override
  public void pack(Bundle.Place place, Own strip) {
    Tensor own = strip.both();
    Map<List<Integer>, Tensor> averages = new HashMap<>(); // far ranks get the same
    for (int r = 0; r < ranks; r++) {
      Reach theirs = reach(r, own.size(1));
      for (Reach.Part part : theirs.parts()) {
        if (part.from() == rank) {
          write(own, part, shaped(place.outgoing(r), own, theirs.slots(part)), averages);
        }
      }
    }
  }

  @Override
  public void keep(Bundle.Place place, Tensor all) {
    Reach reach = reach(rank, all.size(2));
    for (Reach.Part part : reach.parts()) {
      Tensor strip = all.select(0, part.from());
      Tensor into = shaped(place.arriving(part.from()), strip, reach.slots(part));
      write(strip, part, into, new HashMap<>());
    }
    place.keep();
  }

  private static Tensor shaped(Tensor flat, Tensor strip, int slots) {
    return flat.view(strip.size(0), slots, strip.size(2));
  }

  /// Near tokens, then averages of the far ones.
  private void write(
      Tensor strip, Reach.Part part, Tensor into, Map<List<Integer>, Tensor> averages) {
    int near = part.nearCount();
    if (near > 0) {
      into.narrow(1, 0, near).copy_(strip.narrow(1, part.nearBegin(), near));
    }
    if (pool > 0 && part.farCount() > 0) {
      Tensor far =
          averages.computeIfAbsent(
              List.of(part.farBegin(), part.farCount()),
              _ -> average(strip.narrow(1, part.farBegin(), part.farCount())));
      into.narrow(1, near, far.size(1)).copy_(far);
    }
  }

  /// Means of `pool` tokens each; the last may have fewer.
  private Tensor average(Tensor far) {
    long groups = far.size(1) / pool;
    List<Tensor> means = new ArrayList<>();
    if (groups > 0) {
      means.add(
          far.narrow(1, 0, groups * pool).reshape(far.size(0), groups, pool, far.size(2)).mean(2));
    }
    long rest = far.size(1) - groups * pool;
    if (rest > 0) {
      means.add(
          far.narrow(1, groups * pool, rest).mean(new long[] {1}, true, new ScalarTypeOptional()));
    }
    return Ops.cat(means, 1);
  }

  @Override
  public Seen seen(Bundle.Place place, Own strip) {
    Tensor own = strip.both();
    List<Tensor> near = new ArrayList<>(List.of(own));
    List<Tensor> pooled = new ArrayList<>();
    Reach reach = reach(rank, own.size(1));
    for (Reach.Part part : reach.parts()) {
      int slots = reach.slots(part);
      Tensor arrived = shaped(place.seen(part.from()), own, slots);
      if (part.nearCount() > 0) {
        near.add(arrived.narrow(1, 0, part.nearCount()));
      }
      if (slots > part.nearCount()) {
        pooled.add(arrived.narrow(1, part.nearCount(), slots - part.nearCount()));
      }
    }
    return new Seen(
        Ops.cat(near, 1),
        pooled.isEmpty() ? null : copied(pooled),
        pooled.isEmpty() ? null : bias(reach, own));
  }

  /// Never a view of what arrived: the next exchange writes there while attention still reads.
  private static Tensor copied(List<Tensor> parts) {
    return parts.size() == 1 ? parts.getFirst().clone() : Ops.cat(parts, 1);
  }

  private Tensor bias(Reach reach, Tensor own) {
    return biases.computeIfAbsent(
        reach.tokens(),
        _ -> {
          try (TensorScope scope = TensorScope.open()) {
            assert scope != null;
            float[] values = biasValues(reach);
            return holder.hold(
                Tensors.of(values, 1, 1, 1, values.length).to(own.device(), own.scalar_type()));
          }
        });
  }

  private float[] biasValues(Reach reach) {
    int pools = reach.parts().stream().mapToInt(p -> reach.pooled(p.farCount())).sum();
    float[] values = new float[pools];
    int at = 0;
    for (Reach.Part part : reach.parts()) {
      for (int left = part.farCount(); left > 0; left -= pool) {
        values[at++] = (float) Math.log(Math.min(pool, left));
      }
    }
    return values;
  }
}
