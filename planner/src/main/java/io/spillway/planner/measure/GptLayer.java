package io.spillway.planner.measure;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// One block's share of a tensor-parallel rank: query, key, value and up matrices cut by columns,
/// output and down matrices by rows. Both halves give partial sums that the ranks must add.
///
/// **Source:** Shoeybi et al., arXiv 1909.08053, section 3.
final class GptLayer {
  /// Up to this width weights are drawn as told, beyond it narrower, so that activations keep their
  /// size.
  private static final int NARROW = 256;

  private final GptShape shape;
  private final int tp;
  private final Tensor qkv; // [3 * hidden / tp, hidden]
  private final Tensor output; // [hidden, hidden / tp]
  private final Tensor up; // [4 * hidden / tp, hidden]
  private final Tensor down; // [hidden, 4 * hidden / tp]

  /// The same weights whatever the cut: all are drawn from the layer's own seed, then cut.
  GptLayer(
      GptShape shape,
      ComputeDevice device,
      int layer,
      int tp,
      int rank,
      long seed,
      TensorHolder weights) {
    this.shape = shape;
    this.tp = tp;
    int h = shape.hidden();
    try (TensorScope scope = TensorScope.open()) {
      Torch.seed(seed + 1000L * (layer + 1));
      Tensor q3 = normal(shape, device, 0.08, 3, h, h);
      Tensor o = normal(shape, device, 0.04, h, h);
      Tensor u = normal(shape, device, 0.08, 4L * h, h);
      Tensor d = normal(shape, device, 0.04, h, 4L * h);
      long part = h / tp;
      Tensor mine = q3.narrow(1, rank * part, part).reshape(3 * part, h);
      qkv = hold(scope, weights, mine);
      output = hold(scope, weights, o.narrow(1, rank * part, part));
      up = hold(scope, weights, u.narrow(0, 4 * rank * part, 4 * part));
      down = hold(scope, weights, d.narrow(1, 4 * rank * part, 4 * part));
    }
  }

  static Tensor normal(GptShape shape, ComputeDevice device, double deviation, long... sizes) {
    Tensor drawn = torch.randn(sizes, Tensors.options(DType.F32, device));
    double scale = deviation * Math.min(1, Math.sqrt((double) NARROW / shape.hidden()));
    return Tensors.to(drawn.mul(new Scalar(scale)), shape.type());
  }

  static Tensor hold(TensorScope scope, TensorHolder weights, Tensor t) {
    Tensor own = scope.adopt(t.contiguous().clone());
    own.set_requires_grad(true);
    return weights.hold(own);
  }

  List<Tensor> parameters() {
    return List.of(qkv, output, up, down);
  }

  /// **Shapes:** x [batch, sequence, hidden], result the same, a partial sum.
  Tensor attention(Tensor x) {
    long b = x.size(0);
    long s = shape.sequence();
    long heads = shape.heads() / tp;
    Tensor n = torch.layer_norm(x, new long[] {shape.hidden()});
    // [batch, sequence, 3, heads, head] -> [3, batch, heads, sequence, head]
    Tensor all =
        torch
            .linear(n, qkv)
            .view(b, s, 3, heads, shape.headSize())
            .permute(2, 0, 3, 1, 4)
            .contiguous();
    Tensor mixed =
        torch.scaled_dot_product_attention(
            all.select(0, 0),
            all.select(0, 1),
            all.select(0, 2),
            new TensorOptional(),
            0.0,
            true,
            new DoubleOptional(),
            false);
    Tensor flat = mixed.permute(0, 2, 1, 3).reshape(b, s, heads * shape.headSize());
    return torch.linear(flat, output);
  }

  /// **Shapes:** x [batch, sequence, hidden], result the same, a partial sum.
  Tensor feedForward(Tensor x) {
    Tensor n = torch.layer_norm(x, new long[] {shape.hidden()});
    return torch.linear(torch.gelu(torch.linear(n, up)), down);
  }

  static Tensor concat(List<Tensor> parts) {
    return torch.cat(new TensorVector(parts.toArray(Tensor[]::new)));
  }
}
