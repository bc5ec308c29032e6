package io.spillway.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

final class DeterministicTest {
  @Test
  void attentionWithAnOrderOfItsOwnIsLeftOutOnlyWhileBitsMustRepeat() {
    Torch.deterministic(true);
    Context context = torch.globalContext();
    try {
      assertThat(context.deterministicAlgorithms()).isTrue();
      assertThat(context.userEnabledFlashSDP()).isFalse();
      assertThat(context.userEnabledMemEfficientSDP()).isFalse();
      assertThat(context.userEnabledCuDNNSDP()).isFalse();
      assertThat(context.userEnabledMathSDP()).isTrue();
    } finally {
      Torch.deterministic(false);
    }
    assertThat(context.deterministicAlgorithms()).isFalse();
    assertThat(context.userEnabledFlashSDP()).isTrue();
    assertThat(context.userEnabledCuDNNSDP()).isTrue();
  }
}
