package io.spillway.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GroupNormTest {
  /// The form that GPUs and split images use, against libtorch's own; channels may lie innermost
  /// and stay there.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void momentsAndOneMultiplyAddEqualLibtorchsKernel(boolean channelsInnermost) {
    Torch.seed(5);
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert off != null && scope != null;
      Tensor x = torch.randn(new long[] {2, 12, 6, 5}).mul(new Scalar(3.0)).add(new Scalar(20.0));
      if (channelsInnermost) {
        x = x.contiguous(torch.MemoryFormat.ChannelsLast);
      }
      Tensor weight = torch.randn(new long[] {12});
      Tensor bias = torch.randn(new long[] {12});
      Tensor ours = Ops.normalise(x, Ops.moments(x, 4), null, 4, weight, bias, 1e-5);
      Tensor theirs = Ops.groupNorm(x, 4, weight, bias, 1e-5);
      assertThat(ours.sub(theirs).abs().max().item_double()).isLessThan(1e-3);
      assertThat(ours.stride(1) == 1).isEqualTo(channelsInnermost);
    }
  }
}
