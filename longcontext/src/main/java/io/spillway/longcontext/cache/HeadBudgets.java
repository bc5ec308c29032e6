package io.spillway.longcontext.cache;

import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// One budget for all heads of a layer: each head keeps a floor of its own best entries, what is
/// left goes to the best entries of all heads together. Heads then differ in length, which the host
/// has to know: one round trip for each layer and eviction.
///
/// **Source:** Feng et al., Ada-KV (arXiv 2407.11550).
final class HeadBudgets {
  private HeadBudgets() {}

  /// The places that stay, one tensor `[1, count]` ascending for each head.
  ///
  /// @param heads caches of one head each
  /// @param worth of each head's entries, `[1, entries]`; changed here
  /// @param budget entries of a head on average, merged ones not counted
  /// @param floor share of the budget that every head keeps
  static List<Tensor> best(List<LayerCache> heads, List<Tensor> worth, int budget, double floor) {
    TensorVector all = new TensorVector();
    int[] begins = new int[heads.size() + 1];
    for (int i = 0; i < heads.size(); i++) {
      LayerCache head = heads.get(i);
      Tensor values = worth.get(i);
      long own = Math.min(Math.round(floor * budget), head.length() - (long) head.slots());
      if (own > 0) {
        Tensor places = values.topk(own, 1, true, false).get1();
        values.scatter_(1, places, new Scalar(Double.POSITIVE_INFINITY));
      }
      all.push_back(values.view(-1));
      begins[i + 1] = begins[i] + head.length();
    }
    long total = (long) budget * heads.size();
    long[] kept = Tensors.longs(torch.cat(all, 0).topk(total, 0, true, false).get1());
    Arrays.sort(kept);
    List<Tensor> best = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < heads.size(); i++) {
      int from = at;
      while (at < kept.length && kept[at] < begins[i + 1]) {
        at++;
      }
      long[] own = new long[at - from];
      for (int j = 0; j < own.length; j++) {
        own[j] = kept[from + j] - begins[i];
      }
      Tensor places = Tensors.of(own, 1, own.length);
      best.add(places.to(heads.get(i).scores().device(), places.scalar_type()));
    }
    return best;
  }
}
