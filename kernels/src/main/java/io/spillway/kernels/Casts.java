package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Rounds whole arrays, as an update that is not fused has to do in a pass of its own.
public final class Casts {
  private static final int BLOCK = 1024;

  private Casts() {}

  /// Rounds `n` single-precision numbers to nearest even.
  ///
  /// **Shapes:** from `[n]` f32, to `[n]` in `precision`.
  public static void fromFloats(MemorySegment from, MemorySegment to, Precision precision, long n) {
    float[] block = new float[BLOCK];
    for (long at = 0; at < n; at += BLOCK) {
      int count = (int) Math.min(BLOCK, n - at);
      MemorySegment.copy(from, ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * at, block, 0, count);
      if (count == BLOCK) {
        VectorBits.fromFloats(block, to, precision, at, count);
      } else {
        for (int i = 0; i < count; i++) {
          precision.set(to, at + i, block[i]);
        }
      }
    }
  }

  /// Widens `n` numbers to single precision.
  ///
  /// **Shapes:** from `[n]` in `precision`, to `[n]` f32.
  public static void toFloats(MemorySegment from, Precision precision, MemorySegment to, long n) {
    float[] block = new float[BLOCK];
    long whole = n / BLOCK * BLOCK;
    for (long at = 0; at < whole; at += BLOCK) {
      VectorBits.toFloats(from, precision, at, block, BLOCK);
      MemorySegment.copy(block, 0, to, ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * at, BLOCK);
    }
    for (long i = whole; i < n; i++) {
      to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i, precision.get(from, i));
    }
  }
}
