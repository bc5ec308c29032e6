package io.spillway.simulator.machine;

import static io.spillway.simulator.machine.FloatOps.mode;
import static io.spillway.simulator.machine.FloatOps.nearest;

import io.spillway.simulator.machine.SoftFloat.Format;

/// Single-precision operations on the host's arithmetic, shared by the interpreter and generated
/// code.
///
/// The host rounds to nearest even, as nearly all programs do. Its result is taken without further
/// ado when inexact is accrued already ([FloatStatus#settled]) and the result is an ordinary
/// number; failing that, exactness is decided with error-free transformations; in every other case,
/// other rounding modes included, [SoftFloat] computes.
///
/// `mode` is the instruction's rounding mode field, 7 for the dynamic one.
///
/// **Source:** Knuth, The Art of Computer Programming, Volume 2, section 4.2.2 (exact error of a
/// sum); exact errors of products, quotients and roots by a fused multiply-add.
public final class SingleOps {
  private SingleOps() {}

  static boolean ordinaryS(float r) {
    return Math.abs(r) > Float.MIN_NORMAL && Math.abs(r) <= Float.MAX_VALUE;
  }

  private static float exactnessS(FloatStatus s, float result, boolean exact) {
    if (!exact) {
      s.raise(FloatStatus.INEXACT);
    }
    return result;
  }

  public static float addS(FloatStatus s, float a, float b, int mode) {
    float r = a + b;
    return s.settled && nearest(mode) && Math.abs(r) <= Float.MAX_VALUE
        ? r
        : addSlowS(s, a, b, mode);
  }

  private static float addSlowS(FloatStatus s, float a, float b, int mode) {
    float r = a + b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryS(r)) {
      float other = r - a;
      float error = (a - (r - other)) + (b - other);
      return exactnessS(s, r, error == 0);
    }
    return Float.intBitsToFloat(
        (int)
            SoftFloat.add(
                Format.SINGLE,
                s,
                Float.floatToRawIntBits(a) & 0xffffffffL,
                Float.floatToRawIntBits(b) & 0xffffffffL,
                m));
  }

  public static float subS(FloatStatus s, float a, float b, int mode) {
    float r = a - b;
    return s.settled && nearest(mode) && Math.abs(r) <= Float.MAX_VALUE
        ? r
        : subSlowS(s, a, b, mode);
  }

  private static float subSlowS(FloatStatus s, float a, float b, int mode) {
    float r = a - b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryS(r)) {
      float other = r - a;
      float error = (a - (r - other)) + (-b - other);
      return exactnessS(s, r, error == 0);
    }
    return Float.intBitsToFloat(
        (int)
            SoftFloat.subtract(
                Format.SINGLE,
                s,
                Float.floatToRawIntBits(a) & 0xffffffffL,
                Float.floatToRawIntBits(b) & 0xffffffffL,
                m));
  }

  public static float mulS(FloatStatus s, float a, float b, int mode) {
    float r = a * b;
    return s.settled && nearest(mode) && ordinaryS(r) ? r : mulSlowS(s, a, b, mode);
  }

  private static float mulSlowS(FloatStatus s, float a, float b, int mode) {
    float r = a * b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryS(r)) {
      return exactnessS(s, r, (double) a * b == r);
    }
    if (r == 0 && (a == 0 || b == 0)) {
      return r;
    }
    return Float.intBitsToFloat(
        (int)
            SoftFloat.multiply(
                Format.SINGLE,
                s,
                Float.floatToRawIntBits(a) & 0xffffffffL,
                Float.floatToRawIntBits(b) & 0xffffffffL,
                m));
  }

  public static float divS(FloatStatus s, float a, float b, int mode) {
    float r = a / b;
    return s.settled && nearest(mode) && ordinaryS(r) ? r : divSlowS(s, a, b, mode);
  }

  private static float divSlowS(FloatStatus s, float a, float b, int mode) {
    float r = a / b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryS(r)) {
      return exactnessS(s, r, (double) r * b == a);
    }
    if (a == 0 && r == 0 && b != 0) {
      return r;
    }
    return Float.intBitsToFloat(
        (int)
            SoftFloat.divide(
                Format.SINGLE,
                s,
                Float.floatToRawIntBits(a) & 0xffffffffL,
                Float.floatToRawIntBits(b) & 0xffffffffL,
                m));
  }

  public static float sqrtS(FloatStatus s, float a, int mode) {
    return s.settled && nearest(mode) && a > 0 && a <= Float.MAX_VALUE
        ? (float) Math.sqrt(a)
        : sqrtSlowS(s, a, mode);
  }

  private static float sqrtSlowS(FloatStatus s, float a, int mode) {
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && a > 0 && a <= Float.MAX_VALUE) {
      float r = (float) Math.sqrt(a);
      return exactnessS(s, r, (double) r * r == a);
    }
    return Float.intBitsToFloat(
        (int) SoftFloat.squareRoot(Format.SINGLE, s, Float.floatToRawIntBits(a) & 0xffffffffL, m));
  }

  /// `a * b + c` rounded once; the other three are had by negating operands.
  public static float fmaS(FloatStatus s, float a, float b, float c, int mode) {
    float r = Math.fma(a, b, c);
    return s.settled && nearest(mode) && ordinaryS(r) ? r : fmaSlowS(s, a, b, c, mode);
  }

  private static float fmaSlowS(FloatStatus s, float a, float b, float c, int mode) {
    int m = mode(s, mode);
    float r = Math.fma(a, b, c);
    if (r == 0 && m == SoftFloat.NEAREST_EVEN && (a == 0 || b == 0 || Math.abs(c) > 0x1p-60f)) {
      return r; // exactly zero: nothing so small remains of numbers so large
    }
    double product = (double) a * b;
    double sum = product + c;
    double other = sum - product;
    boolean exactSum = (product - (sum - other)) + (c - other) == 0;
    if (m == SoftFloat.NEAREST_EVEN && ordinaryS(r)) {
      return exactnessS(s, r, exactSum && r == sum);
    }
    return Float.intBitsToFloat(
        (int)
            SoftFloat.fuse(
                Format.SINGLE,
                s,
                Float.floatToRawIntBits(a) & 0xffffffffL,
                Float.floatToRawIntBits(b) & 0xffffffffL,
                Float.floatToRawIntBits(c) & 0xffffffffL,
                m));
  }

  public static float minS(FloatStatus s, float a, float b) {
    return a < b || a > b
        ? Math.min(a, b)
        : Float.intBitsToFloat(
            (int)
                SoftFloat.extreme(
                    Format.SINGLE,
                    s,
                    Float.floatToRawIntBits(a) & 0xffffffffL,
                    Float.floatToRawIntBits(b) & 0xffffffffL,
                    false));
  }

  public static float maxS(FloatStatus s, float a, float b) {
    return a < b || a > b
        ? Math.max(a, b)
        : Float.intBitsToFloat(
            (int)
                SoftFloat.extreme(
                    Format.SINGLE,
                    s,
                    Float.floatToRawIntBits(a) & 0xffffffffL,
                    Float.floatToRawIntBits(b) & 0xffffffffL,
                    true));
  }

  public static long eqS(FloatStatus s, float a, float b) {
    if (!Float.isNaN(a) && !Float.isNaN(b)) {
      return a == b ? 1 : 0;
    }
    return SoftFloat.equal(
            Format.SINGLE,
            s,
            Float.floatToRawIntBits(a) & 0xffffffffL,
            Float.floatToRawIntBits(b) & 0xffffffffL)
        ? 1
        : 0;
  }

  public static long ltS(FloatStatus s, float a, float b) {
    if (!Float.isNaN(a) && !Float.isNaN(b)) {
      return a < b ? 1 : 0;
    }
    s.raise(FloatStatus.INVALID);
    return 0;
  }

  public static long leS(FloatStatus s, float a, float b) {
    if (!Float.isNaN(a) && !Float.isNaN(b)) {
      return a <= b ? 1 : 0;
    }
    s.raise(FloatStatus.INVALID);
    return 0;
  }

  public static long classS(float a) {
    return SoftFloat.classify(Format.SINGLE, Float.floatToRawIntBits(a) & 0xffffffffL);
  }

  public static long toWS(FloatStatus s, float a, int mode) {
    if (mode == SoftFloat.TO_ZERO && a > -2147483649.0 && a < 2147483648.0) {
      int whole = (int) a;
      if (whole != a && !s.settled) {
        s.raise(FloatStatus.INEXACT);
      }
      return whole;
    }
    return SoftFloat.toInteger(
        Format.SINGLE, s, Float.floatToRawIntBits(a) & 0xffffffffL, true, 32, mode(s, mode));
  }

  public static float fromWS(FloatStatus s, long a, int mode) {
    if (s.settled && nearest(mode)) {
      return (int) a;
    }
    return Float.intBitsToFloat(
        (int) SoftFloat.fromInteger(Format.SINGLE, s, (int) a, true, mode(s, mode)));
  }

  public static long toWuS(FloatStatus s, float a, int mode) {
    if (mode == SoftFloat.TO_ZERO && a > -1 && a < 4294967296.0) {
      long whole = (long) a;
      if (whole != a && !s.settled) {
        s.raise(FloatStatus.INEXACT);
      }
      return (int) whole;
    }
    return SoftFloat.toInteger(
        Format.SINGLE, s, Float.floatToRawIntBits(a) & 0xffffffffL, false, 32, mode(s, mode));
  }

  public static float fromWuS(FloatStatus s, long a, int mode) {
    if (s.settled && nearest(mode)) {
      return a & 0xffffffffL;
    }
    return Float.intBitsToFloat(
        (int) SoftFloat.fromInteger(Format.SINGLE, s, a & 0xffffffffL, false, mode(s, mode)));
  }

  public static long toLS(FloatStatus s, float a, int mode) {
    if (mode == SoftFloat.TO_ZERO && a >= -0x1p63 && a < 0x1p63) {
      long whole = (long) a;
      if (whole != a && !s.settled) {
        s.raise(FloatStatus.INEXACT);
      }
      return whole;
    }
    return SoftFloat.toInteger(
        Format.SINGLE, s, Float.floatToRawIntBits(a) & 0xffffffffL, true, 64, mode(s, mode));
  }

  public static float fromLS(FloatStatus s, long a, int mode) {
    if (s.settled && nearest(mode)) {
      return a;
    }
    return Float.intBitsToFloat(
        (int) SoftFloat.fromInteger(Format.SINGLE, s, a, true, mode(s, mode)));
  }

  public static long toLuS(FloatStatus s, float a, int mode) {
    if ((a >= 0 || mode == SoftFloat.TO_ZERO && a > -1) && a < 0x1p63) {
      return toLS(s, a, mode);
    }
    return SoftFloat.toInteger(
        Format.SINGLE, s, Float.floatToRawIntBits(a) & 0xffffffffL, false, 64, mode(s, mode));
  }

  public static float fromLuS(FloatStatus s, long a, int mode) {
    if (a >= 0) {
      return fromLS(s, a, mode);
    }
    return Float.intBitsToFloat(
        (int) SoftFloat.fromInteger(Format.SINGLE, s, a, false, mode(s, mode)));
  }
}
