package io.spillway.kernels;

/// The lossless split of a single-precision parameter into its bfloat16 weight, which a device
/// keeps anyway, and 16 more bits, so that a subgroup's state travels in 10 bytes a parameter
/// instead of 12.
///
/// The weight is the parameter rounded to nearest even. The lower half is the parameter's lower 16
/// bits: it says how far, and nearly always in which direction, the rounding went. Only at an exact
/// tie (`0x8000`) do a rounding up and a rounding down leave the same pair; then the sign bit of
/// the variance, which is never negative, tells them apart.
///
/// **Source:** ours.
public final class SplitMaster {
  private static final int TIE = 0x8000;

  private SplitMaster() {}

  /// The lower half that belongs to `parameter`.
  public static short low(float parameter) {
    return (short) Float.floatToRawIntBits(parameter);
  }

  /// The variance with its sign bit set if `parameter` is a tie that was rounded up.
  public static float tag(float parameter, float variance) {
    int bits = Float.floatToRawIntBits(parameter);
    boolean tieUp = (bits & 0xFFFF) == TIE && (bits & 0x10000) != 0;
    int v = Float.floatToRawIntBits(variance) & 0x7FFFFFFF;
    return Float.intBitsToFloat(tieUp ? v | 0x80000000 : v);
  }

  /// The parameter from its weight, its lower half and the tagged variance.
  public static float join(short weight, short low, float taggedVariance) {
    int lower = low & 0xFFFF;
    boolean roundedUp =
        lower > TIE || (lower == TIE && Float.floatToRawIntBits(taggedVariance) < 0);
    return Float.intBitsToFloat(((weight - (roundedUp ? 1 : 0)) << 16) | lower);
  }

  /// The variance without its tag.
  public static float untag(float taggedVariance) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(taggedVariance) & 0x7FFFFFFF);
  }
}
