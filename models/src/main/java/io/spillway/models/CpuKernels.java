package io.spillway.models;

import io.spillway.kernels.Heads;
import io.spillway.kernels.LayerMath;
import io.spillway.kernels.MatrixVector;
import io.spillway.kernels.Precision;
import io.spillway.kernels.Team;
import io.spillway.kernels.TokenAttention;
import io.spillway.kernels.VectorLayerMath;
import io.spillway.kernels.VectorMatrixVector;
import io.spillway.kernels.VectorTokenAttention;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// This project's kernels for the CPU on tensors: one set for the process, on as many threads as
/// libtorch's own operators take.
///
/// @param products of bf16 weights and one row
record CpuKernels(Team team, MatrixVector products, LayerMath math, TokenAttention attention) {
  private static @Nullable CpuKernels all;

  private static CpuKernels on(Team team) {
    return new CpuKernels(
        team,
        new VectorMatrixVector(team),
        new VectorLayerMath(team),
        new VectorTokenAttention(team));
  }

  /// Lends the kernels to one caller at a time.
  static synchronized <T> T use(Function<CpuKernels, T> work) {
    CpuKernels now = all;
    if (now == null || now.team().threads() != Torch.threads()) {
      if (now != null) {
        now.team().close();
      }
      now = on(new Team(Torch.threads()));
      all = now;
    }
    return work.apply(now);
  }

  /// [#use] without a result.
  static void run(Consumer<CpuKernels> work) {
    use(kernels -> {
      work.accept(kernels);
      return true;
    });
  }

  /// Whether tensors like `x` may go through the kernels: floating numbers on the CPU that no
  /// gradient follows.
  static boolean serve(Tensor x) {
    return !GradMode.is_enabled() && x.is_cpu() && precision(x) != null;
  }

  private static @Nullable Precision precision(Tensor x) {
    return switch (Tensors.dtype(x)) {
      case BF16 -> Precision.BF16;
      case F32 -> Precision.F32;
      case F64, F16, I64, I32, I16, I8, U8, BOOL -> null;
    };
  }

  /// The numbers of `x`: `[1, heads, tokens, dim]`, `[1, tokens, dim]` or any contiguous rows; null
  /// if they lie otherwise or are of another type.
  static @Nullable Heads heads(Tensor x) {
    Precision precision = precision(x);
    int dims = (int) x.dim();
    if (precision == null || x.numel() == 0 || x.stride(dims - 1) != 1) {
      return null;
    }
    int dim = (int) x.size(dims - 1);
    if (dims == 4 && x.size(0) == 1) {
      return heads(x, precision, (int) x.size(1), (int) x.size(2), x.stride(1), x.stride(2));
    }
    if (dims == 3 && x.size(0) == 1) {
      return heads(x, precision, 1, (int) x.size(1), 0, x.stride(1));
    }
    return x.is_contiguous() ? heads(x, precision, 1, (int) (x.numel() / dim), 0, dim) : null;
  }

  private static @Nullable Heads heads(
      Tensor x, Precision precision, int heads, int tokens, long headStride, long tokenStride) {
    if (headStride < 0 || tokenStride < 0) {
      return null;
    }
    int dim = (int) x.size(x.dim() - 1);
    long last = (heads - 1) * headStride + (tokens - 1) * tokenStride + dim;
    MemorySegment data =
        MemorySegment.ofAddress(x.data_ptr().address()).reinterpret(last * precision.bytes());
    return new Heads(data, precision, heads, tokens, dim, headStride, tokenStride);
  }

  /// [#heads] of a tensor that this package has just made.
  static Heads own(Tensor x) {
    Heads heads = heads(x);
    if (heads == null) {
      throw new IllegalStateException("a fresh tensor is not contiguous");
    }
    return heads;
  }

  /// A tensor like those of a layer, not set yet.
  static Tensor room(Tensor like, long... shape) {
    return Tensors.empty(Tensors.dtype(like), shape);
  }

  /// A bf16 matrix and one row, in the type of the row.
  static Tensor multiply(Tensor x, Tensor weight) {
    Tensor wide = Tensors.to(x.reshape(-1), DType.F32).contiguous();
    Tensor out = Tensors.empty(DType.F32, weight.size(0));
    run(kernels ->
        kernels
            .products()
            .multiply(
                Tensors.segment(weight),
                Math.toIntExact(weight.size(0)),
                Math.toIntExact(weight.size(1)),
                Tensors.segment(wide),
                Tensors.segment(out)));
    return Tensors.to(out, Tensors.dtype(x));
  }
}
