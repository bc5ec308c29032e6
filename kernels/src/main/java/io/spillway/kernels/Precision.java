package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// How one number of a weight or gradient is stored.
///
/// **Source:** bfloat16 is the upper half of IEEE binary32, rounded to nearest even; F16 is IEEE
/// binary16.
public enum Precision {
  BF16(2),
  F16(2),
  F32(4);

  private final int bytes;

  Precision(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of one number.
  public int bytes() {
    return bytes;
  }

  /// Reads number `index` of `segment`.
  public float get(MemorySegment segment, long index) {
    return switch (this) {
      case BF16 -> bf16ToFloat(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index));
      case F16 -> Float.float16ToFloat(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index));
      case F32 -> segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index);
    };
  }

  /// Writes number `index` of `segment`, rounded to nearest even.
  public void set(MemorySegment segment, long index, float value) {
    switch (this) {
      case BF16 -> segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index, floatToBf16(value));
      case F16 ->
          segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index, Float.floatToFloat16(value));
      case F32 -> segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index, value);
    }
  }

  /// The value of a bfloat16.
  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /// The nearest bfloat16, ties to even; every NaN becomes the quiet NaN `0x7FC0`.
  public static short floatToBf16(float value) {
    if (Float.isNaN(value)) {
      return 0x7FC0;
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }
}
