package io.spillway.longcontext.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TinyModel;
import io.spillway.models.Decoder;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class FarBlocksTest {
  private static final int DIM = 8;
  private static final Policy.InfLlm POLICY = new Policy.InfLlm(4, 2);

  @Test
  void bothMemoriesGiveBackWhatTheyWereGiven() {
    RandomGenerator random = new Seeds(1).stream("store");
    try (BlockStore host = BlockStore.beside(true);
        BlockStore disk = BlockStore.beside(false);
        TensorScope scope = TensorScope.open()) {
      List<float[]> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(floats(random, 2 * 3 * (i + 1)));
        var block = Tensors.of(all.get(i), 2, 3, i + 1);
        assertThat(host.add(block)).isEqualTo(i);
        assertThat(disk.add(block)).isEqualTo(i);
      }
      for (int i = 19; i >= 0; i--) {
        for (BlockStore store : List.of(host, disk)) {
          assertThat(Tensors.floats(store.get(i))).containsExactly(all.get(i));
          assertThat(Tensors.shape(store.get(i))).containsExactly(2, 3, i + 1);
        }
      }
      assertThat(disk.bytes()).isEqualTo(host.bytes()).isEqualTo(4L * 6 * 210);
    }
  }

  private static float[] floats(RandomGenerator random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// One token's attention over sinks, the best blocks and the newest entries, written out.
  @Test
  void aStepLooksAtTheBlocksThatMatchBest() {
    Cases.run(
        5,
        random -> {
          try (TinyModel model = new TinyModel(random);
              Session session =
                  new Session(model.decoder(), POLICY, CacheSettings.of(24, 8), null, null)) {
            List<float[]> keys = new ArrayList<>(); // [2 heads][8]
            List<float[]> values = new ArrayList<>();
            FarBlocks far = session.far().getFirst();
            LayerCache near = session.caches().getFirst();
            for (int token = 0; token < 60; token++) {
              float[] query = floats(random, 4 * DIM);
              float[] key = floats(random, 2 * DIM);
              float[] value = floats(random, 2 * DIM);
              keys.add(key);
              values.add(value);
              try (TensorScope scope = TensorScope.open()) {
                Decoder.Qkv qkv =
                    new Decoder.Qkv(
                        Tensors.of(query, 1, 4, 1, DIM),
                        Tensors.of(key, 1, 2, 1, DIM),
                        Tensors.of(value, 1, 2, 1, DIM));
                float[] given =
                    Tensors.floats(NoGrad.supply(() -> session.attend(0, qkv, Map.of())));
                List<Integer> places = places(far, near, query, token + 1);
                assertThat(places.size()).isLessThanOrEqualTo(24 + 1);
                float[] wanted = attention(query, keys, values, places);
                assertThat(given).containsExactly(wanted, Offset.offset(1e-3f));
              }
            }
            assertThat(far.count()).isGreaterThan(8);
            assertThat(far.seen()).isEqualTo(60);
            assertThat(near.length()).isLessThanOrEqualTo(24 + 8);
            assertThat(session.offloadedBytes()).isEqualTo(far.count() * 4L * 2 * 2 * DIM * 4);
          }
        });
  }

  /// Which of all entries are looked at: a block's representatives are the device's own, the choice
  /// among blocks is made here.
  private static List<Integer> places(FarBlocks far, LayerCache near, float[] query, int seen) {
    int blocks = far.count();
    int nearBegin = 1 + blocks * 4;
    List<Integer> places = new ArrayList<>(List.of(0));
    int local = 24 / 2 - 1 - 3;
    int most = (24 - 1 - local - 3) / 4;
    float[] stand = blocks == 0 ? new float[0] : Tensors.floats(far.representatives());
    double[] relevance = new double[blocks];
    for (int head = 0; head < 4; head++) {
      for (int block = 0; block < blocks; block++) {
        for (int r = 0; r < 2; r++) {
          for (int d = 0; d < DIM; d++) {
            relevance[block] +=
                query[head * DIM + d] * stand[((head / 2 * blocks + block) * 2 + r) * DIM + d];
          }
        }
      }
    }
    List<Integer> order = new ArrayList<>();
    for (int block = 0; block < blocks; block++) {
      order.add(block);
    }
    order.sort(Comparator.comparingDouble((Integer b) -> relevance[b]).reversed());
    order.stream()
        .limit(most)
        .sorted()
        .forEach(block -> {
          for (int i = 0; i < 4; i++) {
            places.add(1 + block * 4 + i);
          }
        });
    for (int i = nearBegin; i < seen; i++) {
      places.add(i);
    }
    assertThat(near.length()).isEqualTo(1 + seen - nearBegin);
    if (seen == 1) {
      return List.of(0);
    }
    return places;
  }

  private static float[] attention(
      float[] query, List<float[]> keys, List<float[]> values, List<Integer> places) {
    float[] out = new float[4 * DIM];
    for (int head = 0; head < 4; head++) {
      double[] q = TinyModel.turned(query, head * DIM, DIM, places.size() - 1);
      double[] sum = new double[DIM];
      double total = 0;
      for (int i = 0; i < places.size(); i++) {
        double[] k = TinyModel.turned(keys.get(places.get(i)), head / 2 * DIM, DIM, i);
        double logit = 0;
        for (int d = 0; d < DIM; d++) {
          logit += q[d] * k[d];
        }
        double weight = Math.exp(logit / Math.sqrt(DIM));
        total += weight;
        for (int d = 0; d < DIM; d++) {
          sum[d] += weight * values.get(places.get(i))[head / 2 * DIM + d];
        }
      }
      for (int d = 0; d < DIM; d++) {
        out[head * DIM + d] = (float) (sum[d] / total);
      }
    }
    return out;
  }

  @Test
  void theDeviceHoldsAsMuchForAnyPrompt() {
    RandomGenerator random = new Seeds(2).stream("far");
    try (TinyModel model = new TinyModel(random)) {
      List<Long> near = new ArrayList<>();
      for (int length : new int[] {300, 3000}) {
        try (Session session =
            new Session(model.decoder(), POLICY, CacheSettings.of(40, 24), null, null)) {
          session.prefill(random.ints(length, 0, 40).toArray(), new int[0]);
          near.add(session.caches().stream().mapToLong(LayerCache::bytes).sum());
          assertThat(session.offloadedBytes()).isGreaterThan((length - 64) * 3L * 2 * DIM * 4 * 2);
          assertThat(session.length()).isLessThanOrEqualTo(40 + 24);
          assertThat(session.isFull()).isFalse();
        }
      }
      assertThat(near.get(1)).isEqualTo(near.get(0));
      try (Session session =
          new Session(model.decoder(), POLICY, CacheSettings.of(250, 20), null, null)) {
        assertThatThrownBy(() -> session.prefill(new int[20], new int[0]))
            .isInstanceOf(SpillwayException.class)
            .hasMessageContaining("need 270 positions, the model has 256");
      }
    }
  }
}
