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
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class HeadBudgetsTest {
  /// The plain form: floors head by head, the rest from one list of all heads.
  private static List<TreeSet<Integer>> reference(
      float[][] scores, int budget, int sinks, int recent, double floor) {
    List<TreeSet<Integer>> kept = new ArrayList<>();
    record Entry(int head, int place, double worth) {}
    List<Entry> rest = new ArrayList<>();
    int total = budget * scores.length;
    for (int head = 0; head < scores.length; head++) {
      int length = scores[head].length;
      int own = (int) Math.min(Math.round(floor * budget), length);
      int newest = Math.min(recent, Math.max(0, Math.min(length, budget) - sinks));
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < length; i++) {
        boolean always = i < sinks || i >= length - newest;
        entries.add(new Entry(head, i, always ? Double.POSITIVE_INFINITY : scores[head][i]));
      }
      entries.sort(Comparator.comparingDouble(Entry::worth).reversed());
      TreeSet<Integer> stay = new TreeSet<>();
      for (int i = 0; i < length; i++) {
        boolean always = entries.get(i).worth() == Double.POSITIVE_INFINITY;
        if (i < own || always) {
          stay.add(entries.get(i).place());
          total--;
        } else {
          rest.add(entries.get(i));
        }
      }
      kept.add(stay);
    }
    rest.sort(Comparator.comparingDouble(Entry::worth).reversed());
    rest.stream().limit(total).forEach(e -> kept.get(e.head()).add(e.place()));
    return kept;
  }

  @Test
  void headsShareTheirBudgetAsThePlainFormDoes() {
    Cases.run(
        20,
        random -> {
          int heads = 2 + random.nextInt(3);
          int budget = 6 + random.nextInt(10);
          int sinks = random.nextInt(3);
          int recent = random.nextInt(4);
          double floor = random.nextInt(5) / 4.0;
          float[][] scores = new float[heads][];
          List<LayerCache> caches = new ArrayList<>();
          try (TensorScope scope = TensorScope.open()) {
            for (int head = 0; head < heads; head++) {
              int length = budget + random.nextInt(20);
              scores[head] = new float[length];
              double scale = 1 + random.nextInt(4);
              for (int i = 0; i < length; i++) {
                scores[head][i] = (float) (random.nextGaussian() * scale);
              }
              LayerCache cache =
                  new LayerCache(1, 4, length, CacheStorage.MODEL, Tensors.of(new float[1], 1));
              Tensor rows = Tensors.of(new float[length * 4], 1, length, 4);
              cache.append(rows, rows);
              cache.scores().copy_(Tensors.of(scores[head], 1, length));
              caches.add(cache);
            }
            List<Tensor> worth =
                caches.stream()
                    .map(cache -> cache.worth(cache.scores(), budget, sinks, recent))
                    .toList();
            List<Tensor> best = HeadBudgets.best(caches, worth, budget, floor);
            List<TreeSet<Integer>> wanted = reference(scores, budget, sinks, recent, floor);
            for (int head = 0; head < heads; head++) {
              assertThat(Tensors.longs(best.get(head)))
                  .containsExactly(
                      wanted.get(head).stream().mapToLong(Integer::longValue).toArray());
            }
          } finally {
            caches.forEach(LayerCache::close);
          }
        });
  }

  @Test
  void neighboursShareTheBestScore() {
    try (TensorScope scope = TensorScope.open()) {
      Tensor scores = Tensors.of(new float[] {0, 0, 4, 0, 0, 0, -2, -2, -2, -2}, 1, 10);
      // half of an entry's own score and half of the best within two
      assertThat(Tensors.floats(Eviction.withNeighbours(scores, 0.5)))
          .containsExactly(2, 2, 4, 2, 2, 0, -1, -1, -2, -2);
      assertThat(Tensors.floats(Eviction.withNeighbours(scores, 0)))
          .containsExactly(0, 0, 4, 0, 0, 0, -2, -2, -2, -2);
    }
  }

  @Test
  void aFloorOfTheWholeBudgetIsEqualHeads() {
    Cases.run(
        4,
        random -> {
          try (TinyModel model = new TinyModel(random)) {
            int[] context = random.ints(90, 0, 40).toArray();
            int[] question = random.ints(6, 0, 40).toArray();
            CacheSettings settings = CacheSettings.of(20, 16);
            Policy.HeavyHitters equal = new Policy.HeavyHitters();
            // one below 1 has a cache for each head, and its floor rounds to the budget
            Policy floor = new Policy.Wrapped(equal, 0.999, 0);
            try (Session a = new Session(model.decoder(), equal, settings, null, null);
                Session b = new Session(model.decoder(), floor, settings, null, null)) {
              a.prefill(context, question);
              b.prefill(context, question);
              assertThat(b.caches()).hasSize(6);
              assertThat(b.logits()).containsExactly(a.logits(), Offset.offset(1e-3f));
              assertThat(b.extend(new int[] {3}))
                  .containsExactly(a.extend(new int[] {3}), Offset.offset(1e-3f));
            }
          }
        });
  }

  @Test
  void headsOfDifferentLengthAttendAsThePlainFormDoes() {
    Cases.run(
        3,
        random -> {
          try (TinyModel model = new TinyModel(random);
              Session session =
                  new Session(
                      model.decoder(),
                      Policy.named("h2o+ada:0.1"),
                      CacheSettings.of(16, 12),
                      null,
                      null)) {
            session.prefill(random.ints(80, 0, 40).toArray(), new int[0]);
            int[] lengths = session.caches().stream().mapToInt(LayerCache::length).toArray();
            assertThat(IntStream.range(0, 3).map(l -> lengths[2 * l] + lengths[2 * l + 1]))
                .containsOnly(32);
            assertThat(Arrays.stream(lengths).distinct().count()).isGreaterThan(1);
            long bytes = session.bytes();
            assertThat(session.peakBytes()).isGreaterThanOrEqualTo(bytes);
            // budget, chunk and at most a page for each head
            assertThat(session.peakBytes())
                .isLessThanOrEqualTo((16 + 12 + LayerCache.PAGE) * 3L * 2 * 8 * 4 * 2);
            float[] logits = session.logits();
            float[] next = session.extend(new int[] {7});
            assertThat(next).isNotEqualTo(logits).doesNotContain(Float.NaN);
            try (TensorScope scope = TensorScope.open()) {
              attends(session, random);
            }
          }
        });
  }

  /// One query over the first layer's heads, written out.
  private static void attends(Session session, RandomGenerator random) {
    int dim = 8;
    float[] query = new float[4 * dim];
    for (int i = 0; i < query.length; i++) {
      query[i] = (float) random.nextGaussian();
    }
    float[] added = new float[2 * dim];
    for (int i = 0; i < added.length; i++) {
      added[i] = (float) random.nextGaussian();
    }
    var qkv =
        new io.spillway.models.Decoder.Qkv(
            Tensors.of(query, 1, 4, 1, dim),
            Tensors.of(added, 1, 2, 1, dim),
            Tensors.of(added, 1, 2, 1, dim));
    float[] given =
        Tensors.floats(
            io.spillway.tensor.NoGrad.supply(() -> session.attend(0, qkv, java.util.Map.of())));
    for (int head = 0; head < 4; head++) {
      LayerCache cache = session.caches().get(head / 2);
      int length = cache.length();
      // after a single token keys lie turned at their places
      assertThat(cache.isTurned()).isTrue();
      float[] keys = Tensors.floats(cache.keys());
      float[] values = Tensors.floats(cache.values());
      double[] q = TinyModel.turned(query, head * dim, dim, length - 1);
      double[] out = new double[dim];
      double sum = 0;
      for (int i = 0; i < length; i++) {
        double logit = 0;
        for (int d = 0; d < dim; d++) {
          logit += q[d] * keys[i * dim + d];
        }
        double weight = Math.exp(logit / Math.sqrt(dim));
        sum += weight;
        for (int d = 0; d < dim; d++) {
          out[d] += weight * values[i * dim + d];
        }
      }
      for (int d = 0; d < dim; d++) {
        assertThat(given[head * dim + d]).isCloseTo((float) (out[d] / sum), Offset.offset(1e-3f));
      }
    }
  }
}
