package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Every rank keeps keys and values of the whole image and renews some tokens of each other strip
/// in a step, in turn. What travels is the layer's input at those tokens, half as much as keys and
/// values, which the receiver makes of it.
///
/// Tokens take turns in steps of about 0.618 of a strip, so that those of one step lie spread over
/// the strip and every token has its turn once before any has its second.
///
/// **Shapes:** what one rank sends to another is [batch, renewed tokens, width].
final class TurnKeys implements Keys {
  private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;

  private final int rank;
  private final int ranks;
  private final TensorHolder holder;
  private final Strategy.Turns strategy;
  private final Map<Bundle.Place, Memory> memories = new IdentityHashMap<>();
  private final Map<Turn, Tensor> indices = new HashMap<>();

  /// The tokens of one step.
  ///
  /// @param begin where in the order of turns they begin
  private record Turn(long begin, int tokens) {}

  /// One layer's.
  private static final class Memory {
    private final Tensor all; // [batch, ranks, tokens, 2 width]
    private int sent; // displaced steps so far that sent
    private boolean underway; // whether the last of them has not been taken in

    Memory(Tensor all) {
      this.all = all;
    }
  }

  TurnKeys(int rank, int ranks, TensorHolder holder, Strategy.Turns strategy) {
    this.rank = rank;
    this.ranks = ranks;
    this.holder = holder;
    this.strategy = strategy;
  }

  @Override
  public Bundle.Counts counts(long batch, int tokens, long width) {
    long[] each = new long[ranks];
    for (int r = 0; r < ranks; r++) {
      each[r] = r == rank ? 0 : batch * strategy.renewed(tokens) * width;
    }
    return new Bundle.Counts(false, each, each);
  }

  @Override
  public Tensor shared(Own own) {
    return own.input();
  }

  @Override
  public Tensor received(Tensor strips, Own own) {
    long[] s = Tensors.shape(strips);
    Tensor both = Own.both(strips.view(s[0] * s[1], s[2], s[3]), own.made());
    return both.view(s[0], s[1], s[2], both.size(2));
  }

  @Override
  public void keep(Bundle.Place place, Tensor strips) {
    Tensor ordered = strips.transpose(0, 1);
    Memory memory = memories.get(place);
    if (memory == null) {
      memories.put(place, new Memory(holder.hold(ordered.contiguous().clone())));
    } else {
      memory.all.copy_(ordered);
      memory.underway = false;
    }
    place.keep();
  }

  @Override
  public void pack(Bundle.Place place, Own own) {
    Memory memory = memory(place);
    Tensor x = own.input();
    Tensor rows = x.index_select(1, turn(memory.sent, x)).reshape(-1);
    for (int r = 0; r < ranks; r++) {
      if (r != rank) {
        place.outgoing(r).copy_(rows);
      }
    }
    memory.sent++;
    memory.underway = true;
  }

  @Override
  public Seen seen(Bundle.Place place, Own own) {
    Memory memory = memory(place);
    if (memory.underway) {
      renew(memory, place, own);
      memory.underway = false;
    }
    Tensor all = memory.all;
    all.select(1, rank).copy_(own.both());
    return new Seen(all.view(all.size(0), -1, all.size(3)), null, null);
  }

  /// Takes in what the other ranks sent in the step before.
  private void renew(Memory memory, Bundle.Place place, Own own) {
    Tensor x = own.input();
    int count = strategy.renewed(Math.toIntExact(x.size(1)));
    List<Tensor> rows = new ArrayList<>();
    for (int r = 0; r < ranks; r++) {
      if (r != rank) {
        rows.add(place.seen(r).view(x.size(0), 1, count, x.size(2)));
      }
    }
    if (rows.isEmpty()) {
      return;
    }
    Tensor inputs = Ops.cat(rows, 1).view(x.size(0), -1, x.size(2));
    Tensor both = Own.both(inputs, own.made());
    both = both.view(x.size(0), ranks - 1L, count, both.size(2));
    Tensor at = turn(memory.sent - 1, x);
    long after = ranks - 1L - rank;
    if (rank > 0) {
      memory.all.narrow(1, 0, rank).index_copy_(2, at, both.narrow(1, 0, rank));
    }
    if (after > 0) {
      memory.all.narrow(1, rank + 1L, after).index_copy_(2, at, both.narrow(1, rank, after));
    }
  }

  private Memory memory(Bundle.Place place) {
    @Nullable Memory memory = memories.get(place);
    if (memory == null) {
      throw new IllegalStateException("a displaced step came before any synchronous one");
    }
    return memory;
  }

  /// Which tokens of a strip like `x` take the given turn: [renewed tokens].
  private Tensor turn(int number, Tensor x) {
    int tokens = Math.toIntExact(x.size(1));
    int count = strategy.renewed(tokens);
    long begin = (long) number * count % tokens;
    return indices.computeIfAbsent(
        new Turn(begin, tokens),
        _ -> {
          long[] at = new long[count];
          for (int i = 0; i < count; i++) {
            at[i] = (begin + i) % tokens * stride(tokens) % tokens;
          }
          return holder.hold(Tensors.of(at, count).to(x.device(), torch.ScalarType.Long));
        });
  }

  /// About the golden section of the tokens, and prime to their number, so that its multiples meet
  /// every token once.
  static long stride(int tokens) {
    long stride = Math.max(1, Math.round(tokens * GOLDEN));
    while (java.math.BigInteger.valueOf(stride).gcd(java.math.BigInteger.valueOf(tokens)).intValue()
        != 1) {
      stride++;
    }
    return stride;
  }

  @Override
  public boolean fixed() {
    return false; // other tokens have their turn in each step
  }

  @Override
  public long bytes() {
    return memories.values().stream().mapToLong(m -> m.all.numel() * m.all.element_size()).sum();
  }
}
