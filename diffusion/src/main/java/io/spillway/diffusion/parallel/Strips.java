package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// What strategies that cut the image into strips share.
final class Strips {
  private Strips() {}

  /// A tensor like `t` in type and device, of another shape, not set.
  static Tensor like(Tensor t, long... shape) {
    return torch.empty(shape, t.options(), new MemoryFormatOptional());
  }

  /// Gathers strips along the rows.
  static Tensor gatherRows(Exchange exchange, Tensor own) {
    if (exchange.size() == 1) {
      return own;
    }
    Tensor mine = own.contiguous();
    long[] s = Tensors.shape(mine);
    Tensor all = like(mine, exchange.size(), s[0], s[1], s[2], s[3]);
    exchange.allGather(mine, all).await();
    return all.permute(1, 2, 0, 3, 4).reshape(s[0], s[1], s[2] * exchange.size(), s[3]);
  }

  /// Convolves a strip whose neighbouring rows are given; a missing neighbour is the image's edge
  /// and stands for zeros.
  ///
  /// @param above [batch, channels, padding, width] or none
  static Tensor convolve(
      Tensor x,
      @Nullable Tensor above,
      @Nullable Tensor below,
      Tensor weight,
      @Nullable Tensor bias,
      int stride,
      int padding) {
    Tensor top = above == null ? zeroRows(x, padding) : above;
    Tensor bottom = below == null ? zeroRows(x, padding) : below;
    return Ops.convolve(Ops.cat(List.of(top, x, bottom), 2), weight, bias, stride, 0, padding);
  }

  private static Tensor zeroRows(Tensor x, int rows) {
    return torch.zeros(new long[] {x.size(0), x.size(1), rows, x.size(3)}, x.options());
  }

  /// E[x] and E[x²] of each group.
  ///
  /// **Shapes:** [batch, channels, rows, width] -> [2, batch, groups] f32.
  static Tensor moments(Tensor x, int groups) {
    Tensor grouped = x.reshape(x.size(0), groups, -1).to(torch.ScalarType.Float);
    Tensor mean = grouped.mean(2);
    Tensor square = grouped.mul(grouped).mean(2);
    return Ops.cat(List.of(mean.unsqueeze(0), square.unsqueeze(0)), 0);
  }

  /// Group normalisation from given moments; a negative variance, which corrected moments can have,
  /// falls back to that of the own strip.
  static Tensor normalise(
      Tensor x, Tensor moments, Tensor own, int groups, Tensor weight, Tensor bias, double eps) {
    Tensor mean = moments.select(0, 0);
    Tensor variance = moments.select(0, 1).sub(mean.mul(mean));
    Tensor ownMean = own.select(0, 0);
    Tensor ownVariance = own.select(0, 1).sub(ownMean.mul(ownMean));
    Tensor safe =
        torch.where(variance.lt(new Scalar(0.0)), ownVariance, variance).clamp_min(new Scalar(0.0));
    Tensor root = safe.add(new Scalar(eps)).rsqrt();
    long batch = x.size(0);
    long each = x.size(1) / groups;
    Tensor scale = root.unsqueeze(2).mul(weight.view(1, groups, each)).view(batch, x.size(1), 1, 1);
    Tensor shift =
        bias.view(1, groups, each)
            .sub(mean.mul(root).unsqueeze(2).mul(weight.view(1, groups, each)))
            .view(batch, x.size(1), 1, 1);
    return torch.addcmul(shift.to(x.scalar_type()), x, scale.to(x.scalar_type()));
  }
}
