package io.spillway.longcontext.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.CacheStorage;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TinyModel;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantisedStoreTest {
  private static final int HEADS = 2;
  private static final int DIM = 64;
  private static final int GROUP = CacheStorage.GROUP;

  /// Rows `[HEADS][count][DIM]` with channels of different size, as keys have.
  private static float[] rows(RandomGenerator random, int count) {
    float[] rows = new float[HEADS * count * DIM];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) (random.nextGaussian() * (1 + i % DIM) + i % 7);
    }
    return rows;
  }

  /// What is read back, number by number: smallest value and step of a group in half precision.
  private static float[] reference(float[] rows, int count, int bits, boolean byChannel) {
    float[] out = rows.clone();
    int whole = count / GROUP * GROUP;
    int span = byChannel ? GROUP : CacheStorage.CHANNELS;
    int stride = byChannel ? DIM : 1;
    for (int head = 0; head < HEADS; head++) {
      for (int row = 0; row < whole; row += byChannel ? GROUP : 1) {
        for (int c = 0; c < DIM; c += byChannel ? 1 : span) {
          int first = (head * count + row) * DIM + c;
          float least = Float.POSITIVE_INFINITY;
          float most = Float.NEGATIVE_INFINITY;
          for (int i = 0; i < span; i++) {
            least = Math.min(least, rows[first + i * stride]);
            most = Math.max(most, rows[first + i * stride]);
          }
          float from = half(least);
          float step = half(Math.max((most - from) / ((1 << bits) - 1), 1e-6f));
          for (int i = 0; i < span; i++) {
            double code = Math.rint((rows[first + i * stride] - from) / step);
            out[first + i * stride] = from + (float) Math.clamp(code, 0, (1 << bits) - 1) * step;
          }
        }
      }
    }
    return out;
  }

  private static float half(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }

  @ParameterizedTest
  @CsvSource({"8, true", "4, true", "2, true", "8, false", "4, false", "2, false"})
  void agreesWithTheScalarReference(int bits, boolean byChannel) {
    Cases.run(
        6,
        random -> {
          int count = random.nextInt(1, 300);
          float[] rows = rows(random, count);
          try (TensorScope scope = TensorScope.open();
              QuantisedStore store =
                  new QuantisedStore(
                      HEADS, DIM, 64, bits, byChannel, Tensors.empty(DType.F32, 1))) {
            Tensor all = Tensors.of(rows, HEADS, count, DIM);
            for (int at = 0; at < count; ) { // in uneven pieces
              int piece = Math.min(count - at, random.nextInt(1, 100));
              store.append(all.narrow(1, at, piece));
              at += piece;
            }
            assertThat(store.length()).isEqualTo(count);
            assertThat(Tensors.floats(store.read()))
                .containsExactly(
                    reference(rows, count, bits, byChannel), Offset.offset(2e-3f * DIM));
          }
        });
  }

  @Test
  void compactionMovesTheCodesOfValuesAsTheyAre() {
    Cases.run(
        6,
        random -> {
          int count = 64 * random.nextInt(2, 6);
          try (TensorScope scope = TensorScope.open();
              QuantisedStore store =
                  new QuantisedStore(HEADS, DIM, count, 4, false, Tensors.empty(DType.F32, 1))) {
            store.append(Tensors.of(rows(random, count), HEADS, count, DIM));
            float[] before = Tensors.floats(store.read());
            int kept = 64;
            long[] places = new long[HEADS * kept];
            for (int head = 0; head < HEADS; head++) {
              long[] some =
                  random.ints(0, count).distinct().limit(kept).sorted().asLongStream().toArray();
              System.arraycopy(some, 0, places, head * kept, kept);
            }
            store.compact(Tensors.of(places, HEADS, kept));
            float[] after = Tensors.floats(store.read());
            for (int head = 0; head < HEADS; head++) {
              for (int i = 0; i < kept; i++) {
                int from = (int) (head * count + places[head * kept + i]) * DIM;
                assertThat(
                        Arrays.copyOfRange(
                            after, (head * kept + i) * DIM, (head * kept + i + 1) * DIM))
                    .containsExactly(Arrays.copyOfRange(before, from, from + DIM));
              }
            }
          }
        });
  }

  @Test
  void anEvictionAddsAtMostHalfAStepToKeys() {
    RandomGenerator random = new Seeds(2).stream("keys");
    int count = 256;
    try (TensorScope scope = TensorScope.open();
        QuantisedStore store =
            new QuantisedStore(HEADS, DIM, count, 4, true, Tensors.empty(DType.F32, 1))) {
      float[] rows = rows(random, count);
      store.append(Tensors.of(rows, HEADS, count, DIM));
      long[] every = new long[HEADS * 128];
      for (int i = 0; i < 128; i++) {
        every[i] = 2L * i;
        every[128 + i] = 2L * i + 1;
      }
      store.compact(Tensors.of(every, HEADS, 128));
      float[] after = Tensors.floats(store.read());
      for (int head = 0; head < HEADS; head++) {
        for (int i = 0; i < 128; i++) {
          for (int c = 0; c < DIM; c++) {
            float truth = rows[(int) (head * count + every[head * 128 + i]) * DIM + c];
            // two halves of a step of a channel that spans less than eight deviations and the six
            // added
            assertThat(after[(head * 128 + i) * DIM + c])
                .isCloseTo(truth, Offset.offset((8f * (1 + c) + 6) / 15 + 0.05f));
          }
        }
      }
    }
  }

  @Test
  void aSessionTakesTheBytesThatItsStorageSaysAndAnswersAlmostTheSame() {
    RandomGenerator random = new Seeds(4).stream("stored");
    try (TinyModel model = new TinyModel(random)) {
      int[] prompt = random.ints(200, 0, 40).toArray();
      float[] exact = null;
      long[] bytes = new long[3];
      for (CacheStorage storage :
          new CacheStorage[] {CacheStorage.F32, CacheStorage.BF16, CacheStorage.Q8}) {
        try (Session session =
            new Session(
                model.decoder(),
                new Policy.StreamingLlm(), // keeps the same entries whatever their rounding
                CacheSettings.of(64, 64).storedAs(storage),
                null,
                null)) {
          session.prefill(prompt, new int[0]);
          float[] logits = session.extend(new int[] {7});
          if (exact == null) {
            exact = logits;
          }
          bytes[storage == CacheStorage.F32 ? 0 : storage == CacheStorage.BF16 ? 1 : 2] =
              session.bytes();
          double apart = 0;
          double scale = 0;
          for (int i = 0; i < logits.length; i++) {
            apart = Math.max(apart, Math.abs(logits[i] - exact[i]));
            scale = Math.max(scale, Math.abs(exact[i]));
          }
          assertThat(apart / scale).isLessThan(storage == CacheStorage.F32 ? 1e-6 : 0.05);
        }
      }
      assertThat(bytes[1]).isEqualTo(bytes[0] / 2);
      assertThat(bytes[2]).isLessThan(bytes[0]);
    }
  }
}
