package io.spillway.simulator.machine;

import static io.spillway.simulator.machine.FloatOps.mode;
import static io.spillway.simulator.machine.FloatOps.nearest;

import io.spillway.simulator.machine.SoftFloat.Format;

/// Double-precision operations on the host's arithmetic, shared by the interpreter and generated
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
public final class DoubleOps {
  private DoubleOps() {}

  private static boolean ordinaryD(double r) {
    return Math.abs(r) > Double.MIN_NORMAL && Math.abs(r) <= Double.MAX_VALUE;
  }

  private static double exactnessD(FloatStatus s, double result, boolean exact) {
    if (!exact) {
      s.raise(FloatStatus.INEXACT);
    }
    return result;
  }

  public static double addD(FloatStatus s, double a, double b, int mode) {
    double r = a + b;
    return s.settled && nearest(mode) && Math.abs(r) <= Double.MAX_VALUE
        ? r
        : addSlowD(s, a, b, mode);
  }

  private static double addSlowD(FloatStatus s, double a, double b, int mode) {
    double r = a + b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryD(r)) {
      double other = r - a;
      double error = (a - (r - other)) + (b - other);
      return exactnessD(s, r, error == 0);
    }
    return Double.longBitsToDouble(
        SoftFloat.add(
            Format.DOUBLE, s, Double.doubleToRawLongBits(a), Double.doubleToRawLongBits(b), m));
  }

  public static double subD(FloatStatus s, double a, double b, int mode) {
    double r = a - b;
    return s.settled && nearest(mode) && Math.abs(r) <= Double.MAX_VALUE
        ? r
        : subSlowD(s, a, b, mode);
  }

  private static double subSlowD(FloatStatus s, double a, double b, int mode) {
    double r = a - b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryD(r)) {
      double other = r - a;
      double error = (a - (r - other)) + (-b - other);
      return exactnessD(s, r, error == 0);
    }
    return Double.longBitsToDouble(
        SoftFloat.subtract(
            Format.DOUBLE, s, Double.doubleToRawLongBits(a), Double.doubleToRawLongBits(b), m));
  }

  public static double mulD(FloatStatus s, double a, double b, int mode) {
    double r = a * b;
    return s.settled && nearest(mode) && ordinaryD(r) ? r : mulSlowD(s, a, b, mode);
  }

  private static double mulSlowD(FloatStatus s, double a, double b, int mode) {
    double r = a * b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryD(r) && Math.abs(r) > 0x1p-900) {
      return exactnessD(s, r, Math.fma(a, b, -r) == 0);
    }
    if (r == 0 && (a == 0 || b == 0)) {
      return r;
    }
    return Double.longBitsToDouble(
        SoftFloat.multiply(
            Format.DOUBLE, s, Double.doubleToRawLongBits(a), Double.doubleToRawLongBits(b), m));
  }

  public static double divD(FloatStatus s, double a, double b, int mode) {
    double r = a / b;
    return s.settled && nearest(mode) && ordinaryD(r) ? r : divSlowD(s, a, b, mode);
  }

  private static double divSlowD(FloatStatus s, double a, double b, int mode) {
    double r = a / b;
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && ordinaryD(r) && Math.abs(a) > 0x1p-900) {
      return exactnessD(s, r, Math.fma(r, b, -a) == 0);
    }
    if (a == 0 && r == 0 && b != 0) {
      return r;
    }
    return Double.longBitsToDouble(
        SoftFloat.divide(
            Format.DOUBLE, s, Double.doubleToRawLongBits(a), Double.doubleToRawLongBits(b), m));
  }

  public static double sqrtD(FloatStatus s, double a, int mode) {
    return s.settled && nearest(mode) && a > 0 && a <= Double.MAX_VALUE
        ? Math.sqrt(a)
        : sqrtSlowD(s, a, mode);
  }

  private static double sqrtSlowD(FloatStatus s, double a, int mode) {
    int m = mode(s, mode);
    if (m == SoftFloat.NEAREST_EVEN && a > 0x1p-900 && a <= Double.MAX_VALUE) {
      double r = Math.sqrt(a);
      return exactnessD(s, r, Math.fma(r, r, -a) == 0);
    }
    return Double.longBitsToDouble(
        SoftFloat.squareRoot(Format.DOUBLE, s, Double.doubleToRawLongBits(a), m));
  }

  /// `a * b + c` rounded once; the other three are had by negating operands.
  public static double fmaD(FloatStatus s, double a, double b, double c, int mode) {
    double r = Math.fma(a, b, c);
    return s.settled && nearest(mode) && ordinaryD(r) ? r : fmaSlowD(s, a, b, c, mode);
  }

  private static double fmaSlowD(FloatStatus s, double a, double b, double c, int mode) {
    int m = mode(s, mode);
    double r = Math.fma(a, b, c);
    if (r == 0 && m == SoftFloat.NEAREST_EVEN && (a == 0 || b == 0 || Math.abs(c) > 0x1p-900)) {
      return r; // exactly zero: nothing so small remains of numbers so large
    }
    double product = a * b;
    double sum = product + c;
    double other = sum - product;
    boolean exact =
        ordinaryD(product)
            && Math.abs(product) > 0x1p-900
            && Math.fma(a, b, -product) == 0
            && (product - (sum - other)) + (c - other) == 0;
    if (exact && (sum != 0 || m != SoftFloat.DOWN) && ordinaryD(sum)) {
      return sum;
    }
    if (m == SoftFloat.NEAREST_EVEN && ordinaryD(r) && (s.flags() & FloatStatus.INEXACT) != 0) {
      return r;
    }
    return Double.longBitsToDouble(
        SoftFloat.fuse(
            Format.DOUBLE,
            s,
            Double.doubleToRawLongBits(a),
            Double.doubleToRawLongBits(b),
            Double.doubleToRawLongBits(c),
            m));
  }

  public static double minD(FloatStatus s, double a, double b) {
    return a < b || a > b
        ? Math.min(a, b)
        : Double.longBitsToDouble(
            SoftFloat.extreme(
                Format.DOUBLE,
                s,
                Double.doubleToRawLongBits(a),
                Double.doubleToRawLongBits(b),
                false));
  }

  public static double maxD(FloatStatus s, double a, double b) {
    return a < b || a > b
        ? Math.max(a, b)
        : Double.longBitsToDouble(
            SoftFloat.extreme(
                Format.DOUBLE,
                s,
                Double.doubleToRawLongBits(a),
                Double.doubleToRawLongBits(b),
                true));
  }

  public static long eqD(FloatStatus s, double a, double b) {
    if (!Double.isNaN(a) && !Double.isNaN(b)) {
      return a == b ? 1 : 0;
    }
    return SoftFloat.equal(
            Format.DOUBLE, s, Double.doubleToRawLongBits(a), Double.doubleToRawLongBits(b))
        ? 1
        : 0;
  }

  public static long ltD(FloatStatus s, double a, double b) {
    if (!Double.isNaN(a) && !Double.isNaN(b)) {
      return a < b ? 1 : 0;
    }
    s.raise(FloatStatus.INVALID);
    return 0;
  }

  public static long leD(FloatStatus s, double a, double b) {
    if (!Double.isNaN(a) && !Double.isNaN(b)) {
      return a <= b ? 1 : 0;
    }
    s.raise(FloatStatus.INVALID);
    return 0;
  }

  public static long classD(double a) {
    return SoftFloat.classify(Format.DOUBLE, Double.doubleToRawLongBits(a));
  }

  public static long toWD(FloatStatus s, double a, int mode) {
    if (mode == SoftFloat.TO_ZERO && a > -2147483649.0 && a < 2147483648.0) {
      int whole = (int) a;
      if (whole != a && !s.settled) {
        s.raise(FloatStatus.INEXACT);
      }
      return whole;
    }
    return SoftFloat.toInteger(
        Format.DOUBLE, s, Double.doubleToRawLongBits(a), true, 32, mode(s, mode));
  }

  public static double fromWD(FloatStatus s, long a, int mode) {
    return (int) a;
  }

  public static long toWuD(FloatStatus s, double a, int mode) {
    if (mode == SoftFloat.TO_ZERO && a > -1 && a < 4294967296.0) {
      long whole = (long) a;
      if (whole != a && !s.settled) {
        s.raise(FloatStatus.INEXACT);
      }
      return (int) whole;
    }
    return SoftFloat.toInteger(
        Format.DOUBLE, s, Double.doubleToRawLongBits(a), false, 32, mode(s, mode));
  }

  public static double fromWuD(FloatStatus s, long a, int mode) {
    return a & 0xffffffffL;
  }

  public static long toLD(FloatStatus s, double a, int mode) {
    if (mode == SoftFloat.TO_ZERO && a >= -0x1p63 && a < 0x1p63) {
      long whole = (long) a;
      if (whole != a && !s.settled) {
        s.raise(FloatStatus.INEXACT);
      }
      return whole;
    }
    return SoftFloat.toInteger(
        Format.DOUBLE, s, Double.doubleToRawLongBits(a), true, 64, mode(s, mode));
  }

  public static double fromLD(FloatStatus s, long a, int mode) {
    if (s.settled && nearest(mode)) {
      return a;
    }
    return Double.longBitsToDouble(SoftFloat.fromInteger(Format.DOUBLE, s, a, true, mode(s, mode)));
  }

  public static long toLuD(FloatStatus s, double a, int mode) {
    if ((a >= 0 || mode == SoftFloat.TO_ZERO && a > -1) && a < 0x1p63) {
      return toLD(s, a, mode);
    }
    return SoftFloat.toInteger(
        Format.DOUBLE, s, Double.doubleToRawLongBits(a), false, 64, mode(s, mode));
  }

  public static double fromLuD(FloatStatus s, long a, int mode) {
    if (a >= 0) {
      return fromLD(s, a, mode);
    }
    return Double.longBitsToDouble(
        SoftFloat.fromInteger(Format.DOUBLE, s, a, false, mode(s, mode)));
  }
}
