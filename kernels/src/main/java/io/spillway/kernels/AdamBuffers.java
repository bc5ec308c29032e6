package io.spillway.kernels;

import java.lang.foreign.MemorySegment;

/// The memory that one Adam update reads and writes, all of it for the same parameters.
///
/// With [MasterLayout#FULL] `master` holds the parameters in single precision; with
/// [MasterLayout#SPLIT] it holds their lower halves and `weight`, in bfloat16, holds the upper ones
/// (see [SplitMaster]).
///
/// **Shapes:** each segment holds `n` numbers: master `[n]` f32 (or 16-bit halves), momentum `[n]`
/// f32, variance `[n]` f32, gradient `[n]`, weight `[n]`.
///
/// @param layout how the master is kept
/// @param master f32 master parameters or their lower halves, updated
/// @param momentum first moment, updated
/// @param variance second moment, updated
/// @param gradient gradient, read
/// @param gradientPrecision format of the gradient
/// @param weight the rounded parameters that the model computes with, written
/// @param weightPrecision format of the weight
public record AdamBuffers(
    MasterLayout layout,
    MemorySegment master,
    MemorySegment momentum,
    MemorySegment variance,
    MemorySegment gradient,
    Precision gradientPrecision,
    MemorySegment weight,
    Precision weightPrecision) {
  /// How the single-precision parameters are stored.
  public enum MasterLayout {
    /// 4 bytes a parameter.
    FULL(4),
    /// 2 bytes a parameter beside its bfloat16 weight, without loss.
    SPLIT(2);

    private final int bytes;

    MasterLayout(int bytes) {
      this.bytes = bytes;
    }

    /// Bytes of the master that are kept outside the weight.
    public int bytes() {
      return bytes;
    }
  }

  public AdamBuffers {
    if (layout == MasterLayout.SPLIT && weightPrecision != Precision.BF16) {
      throw new IllegalArgumentException("a split master needs bfloat16 weights");
    }
    long n = momentum.byteSize() / 4;
    if (master.byteSize() < n * layout.bytes()
        || variance.byteSize() < 4 * n
        || gradient.byteSize() < n * gradientPrecision.bytes()
        || weight.byteSize() < n * weightPrecision.bytes()) {
      throw new IllegalArgumentException("a segment is shorter than " + n + " parameters");
    }
  }

  /// The number of parameters.
  public long size() {
    return momentum.byteSize() / 4;
  }
}
