package io.spillway.longcontext.cache;

import io.spillway.longcontext.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Cuts one layer to its budget, as its policy and the wrappers around it say.
final class Eviction {
  /// Neighbours on each side.
  private static final int NEIGHBOURS = 2;

  private Eviction() {}

  /// @param own the layer's caches: one for all heads, or one for each; keys not turned
  /// @param question what the text is read for, if that counts
  /// @param budget entries of a head on average
  /// @param last no further chunk of the text follows
  /// @return the places before the eviction of what stayed, ascending, for each cache
  static List<Tensor> cut(
      int layer,
      List<LayerCache> own,
      Policy policy,
      @Nullable Question question,
      int budget,
      int sinks,
      boolean last) {
    int recent = last && !policy.keepsRecentAtEnd() ? 0 : policy.stabilizer(budget);
    int always = Math.min(sinks, budget);
    int slots = policy.mergedSlots(budget, always);
    List<Tensor> worth = new ArrayList<>();
    int head = 0;
    for (LayerCache cache : own) {
      Tensor stored = cache.scores().unsqueeze(0);
      Tensor scores =
          scores(policy, question, layer, () -> cache.keys().unsqueeze(0), stored, head);
      worth.add(cache.worth(scores.squeeze(0), budget - slots, always, recent));
      head += (int) stored.size(1);
    }
    List<Tensor> best =
        own.size() == 1
            ? List.of(LayerCache.best(worth.getFirst(), budget - slots))
            : HeadBudgets.best(own, worth, budget - slots, policy.headFloor());
    for (int part = 0; part < own.size(); part++) {
      LayerCache cache = own.get(part);
      if (slots > 0) {
        Merging.cut(cache, best.get(part), always, slots);
      } else {
        cache.compact(best.get(part));
      }
      if (policy.base() instanceof Policy.SnapKvWhole) {
        cache.trim(budget);
      }
    }
    return best;
  }

  /// What entries are worth to a policy: their own scores, their neighbours' and the question's.
  ///
  /// @param keys before rotation, `[batch, heads, entries, headDim]`, read for a question only
  /// @param own `[batch, heads, entries]` f32, returned as it is where nothing counts beside it
  /// @param head the first of these key-value heads
  static Tensor scores(
      Policy policy,
      @Nullable Question question,
      int layer,
      Supplier<Tensor> keys,
      Tensor own,
      int head) {
    Tensor scores = withNeighbours(own, policy.neighbours());
    return question == null ? scores : scores.add(question.adds(layer, keys.get(), scores, head));
  }

  /// Scores of which a share is that of the best among an entry and the two on each side.
  ///
  /// @param scores `[.., heads, entries]`; a new tensor unless `share` is 0
  static Tensor withNeighbours(Tensor scores, double share) {
    if (share == 0) {
      return scores;
    }
    Tensor best =
        torch.max_pool1d(
            scores,
            new long[] {2L * NEIGHBOURS + 1},
            new long[] {1},
            new long[] {NEIGHBOURS},
            new long[] {1},
            false);
    return scores.lerp(best, new Scalar(share));
  }
}
