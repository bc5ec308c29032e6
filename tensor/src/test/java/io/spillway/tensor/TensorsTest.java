package io.spillway.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorsTest {
  @ParameterizedTest
  @EnumSource(DType.class)
  void mapsEveryDtypeBothWays(DType type) {
    TensorScope.run(() -> {
      Tensor t = torch.zeros(new long[] {3}, Tensors.options(type));
      assertThat(Tensors.dtype(t)).isEqualTo(type);
      assertThat(t.element_size()).isEqualTo(type.bytes());
      assertThat(Tensors.segment(t).byteSize()).isEqualTo(3L * type.bytes());
    });
  }

  @Test
  void sharesMemoryBothWays() {
    try (Arena arena = Arena.ofConfined();
        TensorScope scope = TensorScope.open()) {
      MemorySegment memory = arena.allocate(24, 64);
      Tensor t = scope.adopt(Tensors.view(memory, DType.F32, 2, 3));
      t.fill_(new org.bytedeco.pytorch.Scalar(1.5));
      assertThat(memory.getAtIndex(ValueLayout.JAVA_FLOAT, 5)).isEqualTo(1.5f);
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, 0, -2f);
      assertThat(Tensors.floats(t)).containsExactly(-2f, 1.5f, 1.5f, 1.5f, 1.5f, 1.5f);
      assertThat(Tensors.segment(t).address()).isEqualTo(memory.address());
    }
  }

  @Test
  void convertsArrays() {
    TensorScope.run(() -> {
      Tensor longs = Tensors.of(new long[] {1, -2, 1L << 40}, 3);
      assertThat(Tensors.longs(longs)).containsExactly(1, -2, 1L << 40);
      assertThat(Tensors.doubles(Tensors.of(new double[] {0.25}, 1, 1))).containsExactly(0.25);
      assertThat(Tensors.shape(torch.zeros(new long[] {2, 0, 5}))).containsExactly(2, 0, 5);
      assertThat(Tensors.floats(Tensors.to(longs, DType.BF16)))
          .containsExactly(1, -2, 1.09951163e12f);
    });
  }

  @Test
  void refusesWrongSharing() {
    try (Arena arena = Arena.ofConfined();
        TensorScope scope = TensorScope.open()) {
      MemorySegment memory = arena.allocate(24, 64);
      assertThatThrownBy(() -> Tensors.view(memory, DType.F32, 7)).hasMessageContaining("24 bytes");
      assertThatThrownBy(() -> Tensors.view(memory.asSlice(2, 4), DType.F32, 1))
          .hasMessageContaining("aligned");
      assertThatThrownBy(() -> Tensors.view(MemorySegment.ofArray(new byte[4]), DType.U8, 4))
          .hasMessageContaining("heap");
      Tensor gaps = scope.adopt(torch.zeros(new long[] {4, 4}).transpose(0, 1));
      assertThatThrownBy(() -> Tensors.segment(gaps)).hasMessageContaining("contiguous");
    }
  }

  @Test
  void noGradEndsWithItsBlock() {
    assertThat(GradMode.is_enabled()).isTrue();
    try (NoGrad guard = NoGrad.begin()) {
      assertThat(guard).isNotNull();
      assertThat(GradMode.is_enabled()).isFalse();
    }
    assertThat(GradMode.is_enabled()).isTrue();
    assertThat(NoGrad.supply(GradMode::is_enabled)).isFalse();
  }

  @Test
  void seedRepeatsDraws() {
    float[][] draws = new float[2][];
    for (int i = 0; i < 2; i++) {
      Torch.seed(42);
      draws[i] = draw();
    }
    assertThat(draws[0]).containsExactly(draws[1]);
    assertThat(draw()).isNotEqualTo(draws[0]);
  }

  private static float[] draw() {
    try (TensorScope scope = TensorScope.open()) {
      return Tensors.floats(scope.adopt(torch.randn(new long[] {5})));
    }
  }

  @Test
  void saysWhichDeviceItChose() {
    assertThat(Devices.choose("cpu").toString()).startsWith("cpu (").contains("threads");
    assertThat(Devices.all()).isNotEmpty();
    assertThat(Devices.choose("auto").isCuda()).isEqualTo(Devices.cudaCount() > 0);
    assertThatThrownBy(() -> Devices.choose("tpu"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("auto, cpu, cuda, cuda:N");
    if (Devices.cudaCount() == 0) {
      assertThatThrownBy(() -> Devices.choose("cuda:0"))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("--device cpu");
    }
  }
}
