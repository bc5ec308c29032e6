package io.spillway.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

final class PartialAttentionTest {
  private static final int BATCH = 2;
  private static final int HEADS = 3;
  private static final int WIDTH = 8;

  private static Tensor random(long tokens) {
    return torch.randn(new long[] {BATCH, HEADS, tokens, WIDTH});
  }

  private static PartialAttention part(Tensor q, Tensor k, Tensor v, int begin, int count) {
    return PartialAttention.of(q, k.narrow(2, begin, count), v.narrow(2, begin, count), null);
  }

  private static double furthest(Tensor a, Tensor b) {
    return a.sub(b).abs().max().item_double();
  }

  @Test
  void partsOverDisjointKeysJoinToAttentionOverAll() {
    Torch.seed(3);
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert off != null && scope != null;
      Tensor q = random(5);
      Tensor k = random(23);
      Tensor v = random(23);
      PartialAttention whole = PartialAttention.of(q, k, v, null);
      PartialAttention joined =
          part(q, k, v, 0, 7).join(part(q, k, v, 7, 1)).join(part(q, k, v, 8, 15));
      Tensor logits = torch.matmul(q, k.transpose(2, 3)).mul(new Scalar(1 / Math.sqrt(WIDTH)));
      Tensor byHand = torch.matmul(torch.softmax(logits, -1), v);
      assertThat(furthest(whole.out(), byHand)).isLessThan(1e-5);
      assertThat(furthest(joined.out(), byHand)).isLessThan(1e-5);
      assertThat(furthest(joined.logSum(), whole.logSum())).isLessThan(1e-5);
    }
  }

  /// A key with log g added to its logit weighs as much as g equal keys.
  @Test
  void aPooledKeyStandsForAsManyEqualOnes() {
    Torch.seed(4);
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert off != null && scope != null;
      Tensor q = random(5);
      Tensor k = random(6);
      Tensor v = random(6);
      Tensor bias = Tensors.of(new float[] {0, 0, 0, 0, 0, (float) Math.log(4)}, 1, 1, 1, 6);
      Tensor biased = PartialAttention.of(q, k, v, bias).out();
      Tensor fourK = k.narrow(2, 5, 1).expand(BATCH, HEADS, 3, WIDTH);
      Tensor fourV = v.narrow(2, 5, 1).expand(BATCH, HEADS, 3, WIDTH);
      Tensor repeated =
          PartialAttention.of(q, Ops.cat(List.of(k, fourK), 2), Ops.cat(List.of(v, fourV), 2), null)
              .out();
      assertThat(furthest(biased, repeated)).isLessThan(1e-5);
    }
  }
}
