package io.spillway.simulator.machine;

import io.spillway.simulator.machine.SoftFloat.Format;

/// What float operations of both precisions share: the rounding mode, single-precision values boxed
/// in registers, and the conversions between the formats. [DoubleOps] and [SingleOps] hold the
/// rest.
///
/// `mode` is the instruction's rounding mode field, 7 for the dynamic one.
public final class FloatOps {
  private static final int DYNAMIC = 7;

  private FloatOps() {}

  /// The rounding mode that an instruction's field selects.
  static int mode(FloatStatus s, int field) {
    return field == DYNAMIC ? s.mode() : field;
  }

  /// Whether the host's rounding may be the one that is asked for.
  static boolean nearest(int field) {
    return field == DYNAMIC || field == SoftFloat.NEAREST_EVEN;
  }

  /// The single-precision bits in a register: the NaN if the upper half is not all ones.
  public static int unbox(long bits) {
    return bits >>> 32 == 0xffffffffL ? (int) bits : 0x7fc00000;
  }

  /// A register that holds single-precision bits.
  public static long box(int bits) {
    return 0xffffffff00000000L | bits & 0xffffffffL;
  }

  public static float narrow(FloatStatus s, double a, int mode) {
    float r = (float) a;
    if (SingleOps.ordinaryS(r) && (r == a || s.settled && nearest(mode))) {
      return r;
    }
    return Float.intBitsToFloat(
        (int)
            SoftFloat.convert(
                Format.DOUBLE, Format.SINGLE, s, Double.doubleToRawLongBits(a), mode(s, mode)));
  }

  public static double widen(FloatStatus s, float a) {
    if (!Float.isNaN(a)) {
      return a;
    }
    return Double.longBitsToDouble(
        SoftFloat.convert(
            Format.SINGLE,
            Format.DOUBLE,
            s,
            Float.floatToRawIntBits(a) & 0xffffffffL,
            SoftFloat.NEAREST_EVEN));
  }
}
