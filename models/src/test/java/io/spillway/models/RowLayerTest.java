package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// One row of bf16 through this project's kernels agrees with libtorch's operators in f32 on the
/// same numbers, which a recorded gradient asks for.
class RowLayerTest {
  @ParameterizedTest
  @MethodSource("io.spillway.models.DecoderReferenceTest#shapes")
  void layersAgree(DecoderConfig config) {
    Cases.run(
        3,
        random -> {
          try (TensorScope scope = TensorScope.open()) {
            Map<String, Tensor> half = halfWeights(config, random);
            Decoder rows = new Decoder(config, half);
            Decoder libtorch = new Decoder(config, full(half));
            Tensor x = gaussian(random, 1, 1, config.hidden());
            Tensor attended = gaussian(random, 1, config.heads(), 1, config.headDim());
            Tensor x32 = Tensors.to(x, DType.F32);
            Tensor attended32 = Tensors.to(attended, DType.F32);
            for (int layer = 0; layer < config.layers(); layer++) {
              Decoder.Qkv expected = libtorch.project(layer, x32);
              Tensor out = libtorch.finish(layer, x32, attended32);
              try (NoGrad guard = NoGrad.begin()) {
                assertThat(RowLayer.serves(config, x, rows.weight("model.norm.weight"))).isTrue();
                Decoder.Qkv found = rows.project(layer, x);
                close(found.query(), expected.query());
                close(found.key(), expected.key());
                close(found.value(), expected.value());
                close(rows.finish(layer, x, attended), out);
              }
              Tensor turned = libtorch.rotate(expected.query(), libtorch.angles(7, 1, 8));
              try (NoGrad guard = NoGrad.begin()) {
                Tensor query = Tensors.to(expected.query(), DType.BF16);
                close(rows.rotate(query, rows.angles(7, 1, 8)), turned);
              }
            }
          }
        });
  }

  /// Random weights in bf16.
  static Map<String, Tensor> halfWeights(DecoderConfig config, RandomGenerator random) {
    Map<String, Tensor> half = new HashMap<>();
    DecoderReferenceTest.tensors(config, DecoderReferenceTest.randomWeights(config, random))
        .forEach((name, weight) -> half.put(name, Tensors.to(weight, DType.BF16)));
    return half;
  }

  /// The same numbers in f32.
  static Map<String, Tensor> full(Map<String, Tensor> half) {
    Map<String, Tensor> full = new HashMap<>();
    half.forEach((name, weight) -> full.put(name, Tensors.to(weight, DType.F32)));
    return full;
  }

  static Tensor gaussian(RandomGenerator random, long... shape) {
    float[] values = new float[(int) java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensors.to(Tensors.of(values, shape), DType.BF16);
  }

  private static void close(Tensor found, Tensor expected) {
    assertThat(Tensors.dtype(found)).isEqualTo(DType.BF16);
    assertThat(Tensors.shape(found)).isEqualTo(Tensors.shape(expected));
    float[] got = Tensors.floats(found);
    float[] want = Tensors.floats(expected);
    for (int i = 0; i < want.length; i++) {
      double allowed = 0.02 * Math.abs(want[i]) + 0.02;
      assertThat((double) got[i]).isBetween(want[i] - allowed, want[i] + allowed);
    }
  }
}
