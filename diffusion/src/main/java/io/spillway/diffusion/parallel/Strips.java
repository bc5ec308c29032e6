package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.MemoryFormatOptional;
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

  /// A strip between its neighbouring rows; a missing neighbour is the image's edge and stands for
  /// zeros.
  ///
  /// @param above [batch, channels, padding, width] or none
  static Tensor padded(Tensor x, @Nullable Tensor above, @Nullable Tensor below, int padding) {
    Tensor top = above == null ? zeroRows(x, padding) : above;
    Tensor bottom = below == null ? zeroRows(x, padding) : below;
    return Ops.cat(List.of(top, x, bottom), 2);
  }

  /// Zeros with channels innermost, as halos are kept, so that joining keeps that order.
  private static Tensor zeroRows(Tensor x, int rows) {
    return torch
        .zeros(new long[] {x.size(0), rows, x.size(3), x.size(1)}, x.options())
        .permute(0, 3, 1, 2);
  }
}
