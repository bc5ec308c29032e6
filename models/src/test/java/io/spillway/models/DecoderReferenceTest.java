package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The fast decoder agrees with the scalar one on random weights of every family.
class DecoderReferenceTest {
  static List<DecoderConfig> shapes() {
    RopeScaling none = new RopeScaling.None();
    return List.of(
        shape(Family.LLAMA, none, false, true, 0, 8),
        shape(Family.LLAMA, new RopeScaling.Linear(4), false, false, 0, 8),
        shape(Family.LLAMA, new RopeScaling.Llama3(8, 1, 4, 32), false, false, 0, 8),
        shape(Family.MISTRAL, none, false, false, 5, 8),
        shape(Family.QWEN2, none, true, true, 0, 8),
        shape(Family.QWEN3, none, false, true, 0, 12),
        shape(
            Family.PHI3,
            new RopeScaling.LongRope(List.of(1.0, 1.1, 1.3, 2.0), List.of(1.0, 2.0, 4.0, 9.0), 64),
            false,
            false,
            0,
            8),
        shape(
            Family.PHI3,
            new RopeScaling.LongRope(List.of(1.0, 1.1, 1.3, 2.0), List.of(1.0, 2.0, 4.0, 9.0), 8),
            false,
            false,
            0,
            8));
  }

  static DecoderConfig shape(
      Family family, RopeScaling scaling, boolean bias, boolean tied, int window, int headDim) {
    return new DecoderConfig(
        family,
        50,
        24,
        2,
        4,
        2,
        headDim,
        40,
        128,
        1e4,
        headDim,
        scaling,
        1e-5,
        tied,
        bias,
        window,
        List.of(1));
  }

  static Map<String, float[]> randomWeights(DecoderConfig config, RandomGenerator random) {
    Map<String, float[]> weights = new HashMap<>();
    config
        .shapes()
        .forEach((name, shape) -> {
          int size = 1;
          for (long s : shape) {
            size *= (int) s;
          }
          float[] values = new float[size];
          for (int i = 0; i < size; i++) {
            double v = random.nextGaussian() * 0.3;
            values[i] = (float) (name.contains("norm") ? 1 + v : v);
          }
          weights.put(name, values);
        });
    return weights;
  }

  static Map<String, Tensor> tensors(DecoderConfig config, Map<String, float[]> weights) {
    Map<String, Tensor> tensors = new HashMap<>();
    config
        .shapes()
        .forEach((name, shape) ->
            tensors.put(
                name, Tensors.of(java.util.Objects.requireNonNull(weights.get(name)), shape)));
    return tensors;
  }

  @Test
  void longChunksAreReadInBlocksWithTheSameResult() {
    Cases.run(
        1,
        random -> {
          DecoderConfig config = shape(Family.LLAMA, new RopeScaling.None(), false, true, 0, 8);
          int tokens = 2 * (int) Decoder.MLP_TOKENS + 77;
          long[] ids = random.longs(tokens, 0, config.vocabulary()).toArray();
          try (TensorScope scope = TensorScope.open()) {
            Decoder decoder = new Decoder(config, tensors(config, randomWeights(config, random)));
            Tensor given = Tensors.of(ids, 1, tokens);
            float[] whole = Tensors.floats(decoder.hidden(given)); // gradients: not in blocks
            float[] blocks = Tensors.floats(NoGrad.supply(() -> decoder.hidden(given)));
            assertThat(blocks).containsExactly(whole, Offset.offset(1e-4f));
          }
        });
  }

  @Test
  void attentionInSixteenBitsIsCloseToThatInFull() {
    Cases.run(
        5,
        random -> {
          int past = random.nextInt(200);
          int tokens = random.nextInt(2) == 0 ? 1 : 40 + random.nextInt(60);
          try (TensorScope scope = TensorScope.open();
              NoGrad guard = NoGrad.begin()) {
            Tensor query = gaussian(random, 1, 4, tokens, 16);
            Tensor key = gaussian(random, 1, 2, past + tokens, 16);
            Tensor value = gaussian(random, 1, 2, past + tokens, 16);
            float[] full = Tensors.floats(FusedAttention.attend(query, key, value, past));
            Tensor half =
                FusedAttention.attend(
                    Tensors.to(query, DType.BF16),
                    Tensors.to(key, DType.BF16),
                    Tensors.to(value, DType.BF16),
                    past);
            assertThat(Tensors.dtype(half)).isEqualTo(DType.BF16);
            assertThat(Tensors.floats(Tensors.to(half, DType.F32)))
                .containsExactly(full, Offset.offset(0.05f));
          }
        });
  }

  private static Tensor gaussian(RandomGenerator random, long... shape) {
    float[] values = new float[(int) java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensors.of(values, shape);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void logitsAgreeWithinOneTenThousandth(DecoderConfig config) {
    Cases.run(
        2,
        random -> {
          Map<String, float[]> weights = randomWeights(config, random);
          int[] ids = random.ints(19, 0, config.vocabulary()).toArray();
          double[][] expected = new ReferenceDecoder(config, weights).forward(ids);
          try (TensorScope scope = TensorScope.open();
              NoGrad guard = NoGrad.begin()) {
            Decoder decoder = new Decoder(config, tensors(config, weights));
            long[] wide = java.util.Arrays.stream(ids).asLongStream().toArray();
            float[] logits = Tensors.floats(decoder.forward(Tensors.of(wide, 1, ids.length)));
            for (int t = 0; t < ids.length; t++) {
              for (int w = 0; w < config.vocabulary(); w++) {
                assertThat((double) logits[t * config.vocabulary() + w])
                    .isCloseTo(
                        expected[t][w],
                        org.assertj.core.data.Offset.offset(
                            1e-4 * Math.max(1, Math.abs(expected[t][w]))));
              }
            }
          }
        });
  }
}
