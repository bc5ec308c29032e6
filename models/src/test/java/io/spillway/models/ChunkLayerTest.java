package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Many rows of bf16, in more than one block and in more than one sequence, agree with libtorch's
/// operators in f32 on the same numbers, which a recorded gradient asks for.
class ChunkLayerTest {
  @ParameterizedTest
  @MethodSource("io.spillway.models.DecoderReferenceTest#shapes")
  void layersAgree(DecoderConfig config) {
    Cases.run(
        2,
        random -> {
          try (TensorScope scope = TensorScope.open();
              TensorHolder holder = new TensorHolder()) {
            Map<String, Tensor> half = RowLayerTest.halfWeights(config, random);
            Decoder blocks = new Decoder(config, half);
            Decoder joined = new Decoder(config, joined(config, half, holder));
            Decoder libtorch = new Decoder(config, RowLayerTest.full(half));
            int tokens = ChunkLayer.ROWS / 2 + 1 + random.nextInt(20);
            for (int batch = 1; batch <= 2; batch++) {
              Tensor x = RowLayerTest.gaussian(random, batch, tokens, config.hidden());
              Tensor attended =
                  RowLayerTest.gaussian(random, batch, config.heads(), tokens, config.headDim());
              Tensor x32 = Tensors.to(x, DType.F32);
              Decoder.Qkv expected = libtorch.project(0, x32);
              Tensor out = libtorch.finish(0, x32, Tensors.to(attended, DType.F32));
              try (NoGrad guard = NoGrad.begin()) {
                assertThat(ChunkLayer.serves(config, x, blocks.weight("model.norm.weight")))
                    .isTrue();
                for (Decoder decoder : List.of(blocks, joined)) {
                  Decoder.Qkv found = decoder.project(0, x);
                  close(found.query(), expected.query());
                  close(found.key(), expected.key());
                  close(found.value(), expected.value());
                  close(decoder.finish(0, x, attended), out);
                }
              }
            }
          }
        });
  }

  /// The weights with query, key and value in one matrix, and gate and up.
  private static Map<String, Tensor> joined(
      DecoderConfig config, Map<String, Tensor> half, TensorHolder holder) {
    FusedWeights joined = new FusedWeights(config, DType.BF16, Devices.cpu(), holder);
    config.shapes().forEach((name, shape) -> joined.room(name, shape).copy_(half.get(name)));
    return joined.tensors();
  }

  /// Between products numbers are rounded to eight bits, so that sums of many differ in the last
  /// ones.
  private static void close(Tensor found, Tensor expected) {
    assertThat(Tensors.dtype(found)).isEqualTo(DType.BF16);
    assertThat(Tensors.shape(found)).isEqualTo(Tensors.shape(expected));
    Tensor apart = Tensors.to(found, DType.F32).sub(expected).abs();
    assertThat(apart.max().item_float()).isLessThan(0.02f * expected.abs().max().item_float());
    assertThat(apart.mean().item_float()).isLessThan(0.01f * expected.abs().mean().item_float());
  }
}
