package io.spillway.longcontext.cache;

import io.spillway.longcontext.Policy;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Cuts one layer to its budget, as its policy and the wrappers around it say.
final class Eviction {
  private Eviction() {}

  /// @param own the layer's caches: one for all heads, or one for each; keys not turned
  /// @param budget entries of a head on average
  /// @param last no further chunk of the text follows
  /// @return the places before the eviction of what stayed, ascending, for each cache
  static List<Tensor> cut(
      List<LayerCache> own, Policy policy, int budget, int sinks, boolean last) {
    int recent = last && !policy.keepsRecentAtEnd() ? 0 : policy.stabilizer(budget);
    int always = Math.min(sinks, budget);
    int slots = policy.mergedSlots(budget, always);
    List<Tensor> best =
        own.size() == 1
            ? List.of(own.getFirst().best(budget - slots, always, recent))
            : HeadBudgets.best(own, budget - slots, always, recent, policy.headFloor());
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
}
