package io.spillway.longcontext.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.CacheStorage;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TinyModel;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class MergingTest {
  /// One head, written out.
  private record Head(double[][] keys, double[][] values, double[] scores) {}

  private static Head reference(
      Head in, List<Integer> kept, int sinks, int old, double oldMass, int slots) {
    List<Integer> dropped = new ArrayList<>();
    for (int i = 0; i < in.scores().length; i++) {
      if (!kept.contains(i)) {
        dropped.add(i);
      }
    }
    int rest = dropped.size();
    double mass = (old * oldMass + rest - old) / slots;
    double mean = dropped.stream().mapToDouble(i -> in.scores()[i]).average().orElseThrow();
    double spread =
        Math.sqrt(
            dropped.stream()
                .mapToDouble(i -> Math.pow(in.scores()[i] - mean, 2))
                .average()
                .orElseThrow());
    double[][] keys = new double[kept.size() + slots][];
    double[][] values = new double[kept.size() + slots][];
    double[] scores = new double[kept.size() + slots];
    for (int i = 0; i < kept.size(); i++) {
      int to = i < sinks ? i : i + slots;
      keys[to] = in.keys()[kept.get(i)];
      values[to] = in.values()[kept.get(i)];
      scores[to] = in.scores()[kept.get(i)];
    }
    int dim = in.keys()[0].length;
    for (int slot = 0; slot < slots; slot++) {
      double[] key = new double[dim];
      double[] value = new double[dim];
      double score = 0;
      double sum = 0;
      double place = 0;
      for (int t = 0; t < rest; t++) {
        int i = dropped.get(t);
        double own = t < old ? oldMass : 1;
        double distance = ((place + own / 2) / mass - (slot + 0.5)) / Merging.WIDTH;
        place += own;
        double off = (in.scores()[i] - mean) / spread;
        off = Math.max(-Merging.MOST_DEVIATION, Math.min(Merging.MOST_DEVIATION, off));
        double weight = own * Math.exp(off - distance * distance / 2);
        sum += weight;
        score += weight * in.scores()[i];
        for (int d = 0; d < dim; d++) {
          key[d] += weight * in.keys()[i][d];
          value[d] += weight * in.values()[i][d];
        }
      }
      for (int d = 0; d < dim; d++) {
        key[d] /= sum;
        value[d] /= sum;
      }
      keys[sinks + slot] = key;
      values[sinks + slot] = value;
      scores[sinks + slot] = score / sum;
    }
    return new Head(keys, values, scores);
  }

  private static float[] floats(RandomGenerator random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Head head(LayerCache cache, int head, int dim) {
    int length = cache.length();
    float[] keys = Tensors.floats(cache.keys().narrow(0, head, 1));
    float[] values = Tensors.floats(cache.values().narrow(0, head, 1));
    float[] scores = Tensors.floats(cache.scores().narrow(0, head, 1));
    Head out = new Head(new double[length][dim], new double[length][dim], new double[length]);
    for (int i = 0; i < length; i++) {
      out.scores()[i] = scores[i];
      for (int d = 0; d < dim; d++) {
        out.keys()[i][d] = keys[i * dim + d];
        out.values()[i][d] = values[i * dim + d];
      }
    }
    return out;
  }

  private static void assertClose(double[][] given, double[][] wanted) {
    assertThat(given).hasDimensions(wanted.length, wanted[0].length);
    for (int i = 0; i < given.length; i++) {
      assertThat(given[i]).as("entry %d", i).containsExactly(wanted[i], Offset.offset(1e-4));
    }
  }

  @Test
  void droppedEntriesAreMergedAsInThePlainForm() {
    Cases.run(
        10,
        random -> {
          int dim = 4;
          int sinks = random.nextInt(3);
          int slots = 2 + random.nextInt(4);
          int budget = sinks + slots + 6;
          try (TensorScope scope = TensorScope.open();
              LayerCache cache =
                  new LayerCache(2, dim, 64, CacheStorage.MODEL, Tensors.of(new float[1], 1))) {
            for (int round = 0; round < 3; round++) { // later rounds merge merged ones
              int added = 12 + random.nextInt(10);
              cache.append(
                  Tensors.of(floats(random, 2 * added * dim), 2, added, dim),
                  Tensors.of(floats(random, 2 * added * dim), 2, added, dim));
              cache
                  .scores()
                  .narrow(1, cache.length() - (long) added, added)
                  .copy_(Tensors.of(floats(random, 2 * added), 2, added));
              int old = cache.slots();
              double oldMass = cache.slotMass();
              Tensor kept =
                  LayerCache.best(
                      cache.worth(cache.scores(), budget - slots, sinks, 2), budget - slots);
              long[] places = Tensors.longs(kept);
              List<Head> wanted = new ArrayList<>();
              for (int head = 0; head < 2; head++) {
                List<Integer> own = new ArrayList<>();
                for (int i = 0; i < budget - slots; i++) {
                  own.add((int) places[head * (budget - slots) + i]);
                }
                wanted.add(reference(head(cache, head, dim), own, sinks, old, oldMass, slots));
              }
              Merging.cut(cache, kept, sinks, slots);
              assertThat(cache.length()).isEqualTo(budget);
              for (int head = 0; head < 2; head++) {
                Head given = head(cache, head, dim);
                assertClose(given.keys(), wanted.get(head).keys());
                assertClose(given.values(), wanted.get(head).values());
                assertThat(given.scores())
                    .containsExactly(wanted.get(head).scores(), Offset.offset(1e-4));
              }
            }
          }
        });
  }

  @Test
  void aMergedCacheStaysWithinItsBudgetInEveryStorage() {
    for (CacheStorage storage : List.of(CacheStorage.MODEL, CacheStorage.Q8)) {
      for (String name : List.of("h2o+merge", "snapkv+ada+merge:0.3", "streaming+merge")) {
        RandomGenerator random = new io.spillway.platform.Seeds(9).stream(name);
        try (TinyModel model = new TinyModel(random);
            Session session =
                new Session(
                    model.decoder(),
                    Policy.named(name),
                    CacheSettings.of(40, 24).storedAs(storage),
                    null,
                    null)) {
          session.prefill(random.ints(300, 0, 40).toArray(), random.ints(5, 0, 40).toArray());
          int entries = session.caches().stream().mapToInt(LayerCache::length).sum();
          int heads = name.contains("ada") ? 2 : 1;
          assertThat(entries).as(name).isLessThanOrEqualTo(3 * heads * (40 + 5));
          assertThat(session.caches()).allSatisfy(c -> assertThat(c.slots()).isPositive());
          // all tokens that were read are in the slots or among the entries
          for (LayerCache cache : session.caches()) {
            double held = cache.slots() * cache.slotMass() + cache.length() - cache.slots();
            assertThat(held).isCloseTo(305, Offset.offset(1e-6));
          }
          assertThat(session.extend(new int[] {3})).doesNotContain(Float.NaN);
        }
      }
    }
  }
}
