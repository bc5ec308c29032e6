package io.spillway.tensor.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.Devices;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class CudaContextTest {
  @Test
  void aMissingDriverIsToldEachTimeWithItsRemedy() {
    assumeTrue(Devices.cudaCount() == 0);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> CudaContext.open(0))
          .isInstanceOfSatisfying(
              SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_AVAILABLE))
          .hasMessageContaining("libcuda.so.1")
          .hasMessageContaining("--device cpu");
    }
  }

  @Test
  void aSourceThatDoesNotCompileIsToldWithTheCompilersWords() {
    assumeTrue(Devices.cudaCount() > 0);
    int architecture = CudaContext.open(0).architecture();
    assertThatThrownBy(() -> CudaCompiler.compile("nonsense", "bad.cu", architecture, List.of()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("bad.cu");
    byte[] code =
        CudaCompiler.compile(
            "extern \"C\" __global__ void f() {}", "good.cu", architecture, List.of());
    assertThat(new String(code, 1, 3, StandardCharsets.US_ASCII)).isEqualTo("ELF");
  }
}
