package io.spillway.longcontext.cache;

import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// What an eviction drops is merged into a fixed number of slots behind the sinks. The slots divide
/// the dropped text evenly; each is a weighted mean of un-rotated keys and of values, by a bell
/// over the distance in the text and by the entries' scores. Slots of earlier evictions are merged
/// again and count as all that they stand for.
///
/// **Source:** after Cai et al., LoCoCo (arXiv 2406.05317), whose convolution is learned; this one
/// has a fixed kernel and needs no training.
final class Merging {
  /// Width of the bell, in slots.
  static final double WIDTH = 0.5;

  /// Scores further than this many standard deviations off count as that far.
  static final double MOST_DEVIATION = 3;

  private Merging() {}

  /// Keeps the entries at `kept` and merges the rest.
  ///
  /// @param kept ascending places without slots, sinks first, `[kvHeads, count]` i64
  /// @param sinks entries before the slots
  static void cut(LayerCache cache, Tensor kept, int sinks, int slots) {
    int length = cache.length();
    int count = (int) kept.size(1);
    int rest = length - count;
    if (rest <= slots) {
      return; // nothing would become shorter
    }
    int old = cache.slots();
    double oldMass = cache.slotMass();
    double mass = (old * oldMass + rest - old) / slots;
    Tensor dropped = complement(kept, length, rest);
    Tensor bell = bell(rest, old, oldMass, slots, mass, cache.scores());
    TensorVector keys = new TensorVector();
    TensorVector values = new TensorVector();
    TensorVector scores = new TensorVector();
    Tensor allKeys = cache.keys();
    Tensor allValues = cache.values();
    for (long head = 0; head < kept.size(0); head++) {
      long at = head;
      Tensor places = dropped.select(0, at);
      Tensor worth = cache.scores().select(0, at).index_select(0, places);
      Tensor weights =
          TensorScope.compute(
              () -> torch.softmax(bell.add(deviation(worth).unsqueeze(0)), 1)); // [slots, rest]
      keys.push_back(merged(weights, allKeys.select(0, at), places));
      values.push_back(merged(weights, allValues.select(0, at), places));
      scores.push_back(weights.mv(worth));
    }
    Tensor mergedKeys = torch.stack(keys, 0);
    Tensor mergedValues = torch.stack(values, 0);
    Tensor mergedScores = torch.stack(scores, 0);
    int front = Math.min(sinks, count);
    cache.compact(
        torch.cat(
            new TensorVector(
                kept.narrow(1, 0, front),
                dropped.narrow(1, 0, slots), // room, overwritten below
                kept.narrow(1, front, (long) count - front)),
            1));
    cache.putSlots(front, mergedKeys, mergedValues, mergedScores, mass);
  }

  private static Tensor merged(Tensor weights, Tensor rows, Tensor places) {
    return Tensors.to(
        weights.mm(Tensors.to(rows.index_select(0, places), DType.F32)), Tensors.dtype(rows));
  }

  /// Places not in `kept`, ascending, `[kvHeads, rest]`.
  private static Tensor complement(Tensor kept, int length, int rest) {
    Tensor places =
        torch
            .arange(new Scalar(length), kept.options())
            .unsqueeze(0)
            .expand(kept.size(0), length)
            .clone();
    Tensor last = places.add(new Scalar((long) length)).gather(1, kept);
    places.scatter_(1, kept, last);
    return places.sort(1, false).get0().narrow(1, 0, rest);
  }

  /// Scores in standard deviations from their mean.
  private static Tensor deviation(Tensor worth) {
    Tensor centred = worth.sub(worth.mean());
    Tensor spread = centred.square().mean().sqrt().clamp_min(new Scalar(1e-6));
    return centred
        .div_(spread)
        .clamp_min_(new Scalar(-MOST_DEVIATION))
        .clamp_max_(new Scalar(MOST_DEVIATION));
  }

  /// Logarithms of mass and bell, `[slots, rest]` f32.
  private static Tensor bell(
      int rest, int old, double oldMass, int slots, double mass, Tensor like) {
    float[] values = new float[Math.multiplyExact(rest, slots)];
    for (int t = 0; t < rest; t++) {
      double own = t < old ? oldMass : 1;
      double place = t < old ? (t + 0.5) * oldMass : old * oldMass + (t - old) + 0.5;
      for (int slot = 0; slot < slots; slot++) {
        double distance = (place / mass - (slot + 0.5)) / WIDTH;
        values[slot * rest + t] = (float) (Math.log(own) - distance * distance / 2);
      }
    }
    Tensor bell = Tensors.of(values, slots, rest);
    return bell.to(like.device(), bell.scalar_type());
  }
}
