package io.spillway.models;

import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Attention of one new token over a cache with room to spare, in operations whose shapes do not
/// depend on how full the cache is: what a recorded step needs.
///
/// The heads of a group are the rows of one product, so keys and values are read once each. The sum
/// over values is cut into pieces along the cache, so that a GPU has enough independent work.
public final class StepAttention {
  private static final ScalarType FLOAT = Tensors.scalarType(DType.F32);
  private static final int PIECES = 16;

  private StepAttention() {}

  /// @param query `[1, heads, 1, headDim]`, rotated
  /// @param keys `[kvHeads, room, headDim]`, contiguous
  /// @param values `[kvHeads, room, headDim]`, contiguous
  /// @param mask f32, 0 where an entry counts and minus infinity elsewhere, `[1 or kvHeads, 1,
  ///   room]`
  /// @return `[1, heads, 1, headDim]`
  public static Tensor attend(Tensor query, Tensor keys, Tensor values, Tensor mask) {
    long kvHeads = keys.size(0);
    long room = keys.size(1);
    long dim = keys.size(2);
    long group = query.size(1) / kvHeads;
    Tensor q = query.reshape(kvHeads, group, dim);
    Tensor scores = product(q, keys.transpose(1, 2));
    Tensor weights = torch.softmax(torch.add(mask, scores, new Scalar(1 / Math.sqrt(dim))), -1);
    long pieces = pieces(room);
    Tensor cut =
        torch.empty(
            new long[] {kvHeads, pieces, group, room / pieces},
            keys.options(),
            new MemoryFormatOptional());
    cut.copy_(weights.view(kvHeads, group, pieces, room / pieces).transpose(1, 2));
    Tensor parts =
        cut.view(kvHeads * pieces, group, room / pieces)
            .bmm(values.view(kvHeads * pieces, room / pieces, dim));
    return parts
        .view(kvHeads, pieces, group, dim)
        .sum(new long[] {1}, false, new ScalarTypeOptional(keys.scalar_type()))
        .view(1, kvHeads * group, 1, dim);
  }

  /// Into f32 whatever the type of the factors.
  private static Tensor product(Tensor a, Tensor b) {
    if (Tensors.dtype(a) == DType.F32) {
      return a.bmm(b);
    }
    return a.is_cuda()
        ? torch.bmm(a, b, FLOAT)
        : Tensors.to(a, DType.F32).bmm(Tensors.to(b, DType.F32));
  }

  private static long pieces(long room) {
    long pieces = 1;
    while (pieces < PIECES && room % (pieces * 2) == 0 && room / (pieces * 2) >= 64) {
      pieces *= 2;
    }
    return pieces;
  }
}
