package io.spillway.simulator.machine;

import java.math.BigInteger;

/// IEEE-754 binary32 and binary64 in integer arithmetic: every rounding mode, every flag, tininess
/// detected after rounding, NaN results canonical. This is the readable reference; [FloatOps] uses
/// the host's arithmetic where it gives the same.
///
/// Values are bits in a long. Inside, a finite number is a significand with its top bit at 63 and
/// an exponent, `significand / 2^63 * 2^exponent`; bits lost to the right are folded into bit 0.
///
/// **Source:** IEEE 754-2019; The RISC-V Instruction Set Manual, Volume I, "F" and "D" chapters.
final class SoftFloat {
  static final int NEAREST_EVEN = 0;
  static final int TO_ZERO = 1;
  static final int DOWN = 2;
  static final int UP = 3;
  static final int NEAREST_AWAY = 4;

  /// A binary interchange format.
  enum Format {
    SINGLE(23, 8),
    DOUBLE(52, 11);

    final int fraction;
    final int bias;
    final int special; // the biased exponent of infinities and NaNs
    final long sign;
    final long infinity;
    final long nan;

    Format(int fraction, int exponent) {
      this.fraction = fraction;
      this.bias = (1 << exponent - 1) - 1;
      this.special = (1 << exponent) - 1;
      this.sign = 1L << fraction + exponent;
      this.infinity = (long) special << fraction;
      this.nan = infinity | 1L << fraction - 1;
    }

    boolean negative(long a) {
      return (a & sign) != 0;
    }

    boolean isNan(long a) {
      return (a & ~sign) > infinity;
    }

    boolean isSignalling(long a) {
      return isNan(a) && (a & 1L << fraction - 1) == 0;
    }

    boolean isInfinite(long a) {
      return (a & ~sign) == infinity;
    }

    boolean isZero(long a) {
      return (a & ~sign) == 0;
    }

    long signed(boolean negative, long magnitude) {
      return negative ? magnitude | sign : magnitude;
    }

    int exponent(long a) {
      int biased = (int) (a >>> fraction) & special;
      if (biased != 0) {
        return biased - bias;
      }
      return 1 - bias - fraction + 63 - Long.numberOfLeadingZeros(a & ~sign);
    }

    long significand(long a) {
      long f = a & (1L << fraction) - 1;
      return ((a >>> fraction) & special) != 0
          ? (f | 1L << fraction) << 63 - fraction
          : f << Long.numberOfLeadingZeros(f);
    }
  }

  private SoftFloat() {}

  private static long nan(Format f, FloatStatus s, long a, long b) {
    if (f.isSignalling(a) || f.isSignalling(b)) {
      s.raise(FloatStatus.INVALID);
    }
    return f.nan;
  }

  private static long invalid(Format f, FloatStatus s) {
    s.raise(FloatStatus.INVALID);
    return f.nan;
  }

  private static long shiftJam(long sig, int by) {
    if (by == 0) {
      return sig;
    }
    return by > 63 ? (sig == 0 ? 0 : 1) : sig >>> by | ((sig << -by) != 0 ? 1 : 0);
  }

  private static boolean roundsUp(boolean negative, long kept, long low, int drop, int mode) {
    long half = 1L << drop - 1;
    return switch (mode) {
      case NEAREST_EVEN -> low > half || low == half && (kept & 1) != 0;
      case TO_ZERO -> false;
      case DOWN -> negative && low != 0;
      case UP -> !negative && low != 0;
      default -> low >= half;
    };
  }

  /// Rounds a normalised number into the format.
  private static long round(
      Format f, FloatStatus s, boolean negative, int exponent, long significand, int mode) {
    int drop = 63 - f.fraction;
    long mask = (1L << drop) - 1;
    long sig = significand;
    int least = 1 - f.bias;
    int biased = exponent + f.bias;
    boolean tiny = false;
    if (exponent < least) {
      long kept = sig >>> drop;
      boolean reaches =
          exponent == least - 1
              && kept == (2L << f.fraction) - 1
              && roundsUp(negative, kept, sig & mask, drop, mode);
      tiny = !reaches;
      sig = shiftJam(sig, least - exponent);
      biased = 0;
    }
    if (biased < f.special) {
      long low = sig & mask;
      long kept = sig >>> drop;
      if (roundsUp(negative, kept, low, drop, mode)) {
        kept++;
      }
      long bits = biased == 0 ? kept : ((long) (biased - 1) << f.fraction) + kept;
      if (bits < f.infinity) {
        if (low != 0) {
          s.raise(FloatStatus.INEXACT | (tiny ? FloatStatus.UNDERFLOW : 0));
        }
        return f.signed(negative, bits);
      }
    }
    s.raise(FloatStatus.OVERFLOW | FloatStatus.INEXACT);
    boolean toLargest = mode == TO_ZERO || mode == DOWN && !negative || mode == UP && negative;
    return f.signed(negative, toLargest ? f.infinity - 1 : f.infinity);
  }

  static long add(Format f, FloatStatus s, long a, long b, int mode) {
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, s, a, b);
    }
    if (f.isInfinite(a)) {
      return f.isInfinite(b) && a != b ? invalid(f, s) : a;
    }
    if (f.isInfinite(b)) {
      return b;
    }
    if (f.isZero(a) || f.isZero(b)) {
      if (f.isZero(a) && f.isZero(b)) {
        return a == b ? a : f.signed(mode == DOWN, 0);
      }
      return f.isZero(a) ? b : a;
    }
    if ((a & ~f.sign) < (b & ~f.sign)) {
      return add(f, s, b, a, mode);
    }
    boolean negative = f.negative(a);
    int exponent = f.exponent(a);
    long larger = f.significand(a) >>> 1;
    long smaller = shiftJam(f.significand(b) >>> 1, exponent - f.exponent(b));
    long sum = negative == f.negative(b) ? larger + smaller : larger - smaller;
    if (sum == 0) {
      return f.signed(mode == DOWN, 0);
    }
    int shift = Long.numberOfLeadingZeros(sum);
    return round(f, s, negative, exponent + 1 - shift, sum << shift, mode);
  }

  static long subtract(Format f, FloatStatus s, long a, long b, int mode) {
    return add(f, s, a, f.isNan(b) ? b : b ^ f.sign, mode);
  }

  static long multiply(Format f, FloatStatus s, long a, long b, int mode) {
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, s, a, b);
    }
    boolean negative = f.negative(a) != f.negative(b);
    if (f.isInfinite(a) || f.isInfinite(b)) {
      return f.isZero(a) || f.isZero(b) ? invalid(f, s) : f.signed(negative, f.infinity);
    }
    if (f.isZero(a) || f.isZero(b)) {
      return f.signed(negative, 0);
    }
    long high = Math.unsignedMultiplyHigh(f.significand(a), f.significand(b));
    long low = f.significand(a) * f.significand(b);
    int exponent = f.exponent(a) + f.exponent(b) + 1;
    if (high >= 0) {
      high = high << 1 | low >>> 63;
      low <<= 1;
      exponent--;
    }
    return round(f, s, negative, exponent, high | (low != 0 ? 1 : 0), mode);
  }

  static long divide(Format f, FloatStatus s, long a, long b, int mode) {
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, s, a, b);
    }
    boolean negative = f.negative(a) != f.negative(b);
    if (f.isInfinite(a)) {
      return f.isInfinite(b) ? invalid(f, s) : f.signed(negative, f.infinity);
    }
    if (f.isInfinite(b)) {
      return f.signed(negative, 0);
    }
    if (f.isZero(b)) {
      if (f.isZero(a)) {
        return invalid(f, s);
      }
      s.raise(FloatStatus.DIVIDE_BY_ZERO);
      return f.signed(negative, f.infinity);
    }
    if (f.isZero(a)) {
      return f.signed(negative, 0);
    }
    long divisor = f.significand(b);
    long rest = f.significand(a);
    int exponent = f.exponent(a) - f.exponent(b);
    boolean carry = false;
    if (Long.compareUnsigned(rest, divisor) < 0) {
      exponent--;
      carry = rest < 0;
      rest <<= 1;
    }
    long quotient = 0;
    for (int i = 0; i < 64; i++) {
      quotient <<= 1;
      if (carry || Long.compareUnsigned(rest, divisor) >= 0) {
        rest -= divisor;
        quotient |= 1;
      }
      carry = rest < 0;
      rest <<= 1;
    }
    boolean inexact = carry || rest != 0;
    return round(f, s, negative, exponent, quotient | (inexact ? 1 : 0), mode);
  }

  static long squareRoot(Format f, FloatStatus s, long a, int mode) {
    if (f.isNan(a)) {
      return nan(f, s, a, a);
    }
    if (f.isZero(a)) {
      return a;
    }
    if (f.negative(a)) {
      return invalid(f, s);
    }
    if (f.isInfinite(a)) {
      return a;
    }
    int exponent = f.exponent(a);
    BigInteger radicand = unsigned(f.significand(a)).shiftLeft(63 + (exponent & 1));
    BigInteger[] root = radicand.sqrtAndRemainder();
    long sticky = root[1].signum() != 0 ? 1 : 0;
    return round(f, s, false, exponent >> 1, root[0].longValue() | sticky, mode);
  }

  /// `a * b + c`, rounded once.
  static long fuse(Format f, FloatStatus s, long a, long b, long c, int mode) {
    boolean negative = f.negative(a) != f.negative(b);
    boolean infiniteProduct = f.isInfinite(a) || f.isInfinite(b);
    if (infiniteProduct && (f.isZero(a) || f.isZero(b))) {
      return invalid(f, s);
    }
    if (f.isNan(a) || f.isNan(b) || f.isNan(c)) {
      nan(f, s, a, b);
      return nan(f, s, c, c);
    }
    if (infiniteProduct) {
      long product = f.signed(negative, f.infinity);
      return f.isInfinite(c) && c != product ? invalid(f, s) : product;
    }
    if (f.isInfinite(c)) {
      return c;
    }
    if (f.isZero(a) || f.isZero(b)) {
      return add(f, s, f.signed(negative, 0), c, mode);
    }
    BigInteger product = unsigned(f.significand(a)).multiply(unsigned(f.significand(b)));
    int scale = f.exponent(a) + f.exponent(b) - 126;
    BigInteger sum = negative ? product.negate() : product;
    if (!f.isZero(c)) {
      BigInteger addend = unsigned(f.significand(c));
      int addendScale = f.exponent(c) - 63;
      int least = Math.min(scale, addendScale);
      addend = (f.negative(c) ? addend.negate() : addend).shiftLeft(addendScale - least);
      sum = sum.shiftLeft(scale - least).add(addend);
      scale = least;
    }
    if (sum.signum() == 0) {
      return f.signed(mode == DOWN, 0);
    }
    BigInteger magnitude = sum.abs();
    int excess = magnitude.bitLength() - 64;
    long top =
        excess > 0
            ? magnitude.shiftRight(excess).longValue()
            : magnitude.shiftLeft(-excess).longValue();
    long sticky = excess > 0 && magnitude.getLowestSetBit() < excess ? 1 : 0;
    return round(f, s, sum.signum() < 0, scale + excess + 63, top | sticky, mode);
  }

  private static BigInteger unsigned(long a) {
    BigInteger value = BigInteger.valueOf(a & Long.MAX_VALUE);
    return a < 0 ? value.setBit(63) : value;
  }

  /// Converts between the formats.
  static long convert(Format from, Format to, FloatStatus s, long a, int mode) {
    if (from.isNan(a)) {
      nan(from, s, a, a);
      return to.nan;
    }
    boolean negative = from.negative(a);
    if (from.isInfinite(a)) {
      return to.signed(negative, to.infinity);
    }
    if (from.isZero(a)) {
      return to.signed(negative, 0);
    }
    return round(to, s, negative, from.exponent(a), from.significand(a), mode);
  }

  /// Converts an integer; an unsigned one if `signed` is false.
  static long fromInteger(Format f, FloatStatus s, long value, boolean signed, int mode) {
    if (value == 0) {
      return 0;
    }
    boolean negative = signed && value < 0;
    long magnitude = negative ? -value : value;
    int shift = Long.numberOfLeadingZeros(magnitude);
    return round(f, s, negative, 63 - shift, magnitude << shift, mode);
  }

  /// Converts to an integer of `bits` bits, 32 or 64; out of range saturates and is invalid.
  static long toInteger(Format f, FloatStatus s, long a, boolean signed, int bits, int mode) {
    boolean negative = f.negative(a) && !f.isNan(a);
    long largest = signed ? (1L << bits - 1) - 1 : bits == 64 ? -1L : 0xffffffffL;
    long least = signed ? -1L << bits - 1 : 0;
    int exponent = f.isZero(a) ? -2 : f.exponent(a);
    if (f.isNan(a) || f.isInfinite(a) || exponent > 63) {
      s.raise(FloatStatus.INVALID);
      return extend(negative ? least : largest, bits);
    }
    long sig = f.isZero(a) ? 0 : f.significand(a);
    int shift = 63 - exponent;
    long whole = shift > 63 ? 0 : sig >>> shift;
    long low = shift == 0 ? 0 : shift > 64 ? (sig != 0 ? 1 : 0) : sig << 64 - shift;
    if (shift == 64) {
      low = sig;
    }
    // unsigned comparison of the fraction with one half, in two bits and a sticky one
    long quarter = low >>> 2 | (low & 3);
    if (low != 0 && roundsUp(negative, whole, quarter, 62, mode)) {
      whole++;
    }
    boolean fits =
        signed
            ? Long.compareUnsigned(whole, negative ? 1L << bits - 1 : largest) <= 0
            : negative ? whole == 0 : Long.compareUnsigned(whole, largest) <= 0;
    if (!fits) {
      s.raise(FloatStatus.INVALID);
      return extend(negative ? least : largest, bits);
    }
    if (low != 0) {
      s.raise(FloatStatus.INEXACT);
    }
    return extend(negative ? -whole : whole, bits);
  }

  private static long extend(long value, int bits) {
    return bits == 32 ? (int) value : value;
  }

  static boolean equal(Format f, FloatStatus s, long a, long b) {
    if (f.isNan(a) || f.isNan(b)) {
      nan(f, s, a, b);
      return false;
    }
    return a == b || f.isZero(a) && f.isZero(b);
  }

  /// `a < b`, or `a <= b` if `orEqual`; any NaN is invalid.
  static boolean less(Format f, FloatStatus s, long a, long b, boolean orEqual) {
    if (f.isNan(a) || f.isNan(b)) {
      s.raise(FloatStatus.INVALID);
      return false;
    }
    if (f.isZero(a) && f.isZero(b)) {
      return orEqual;
    }
    return orEqual ? order(f, a) <= order(f, b) : order(f, a) < order(f, b);
  }

  /// The smaller or larger number; minus zero is below zero; a NaN yields the other operand.
  static long extreme(Format f, FloatStatus s, long a, long b, boolean larger) {
    if (f.isNan(a) || f.isNan(b)) {
      nan(f, s, a, b);
      return f.isNan(a) ? f.isNan(b) ? f.nan : b : a;
    }
    return order(f, a) < order(f, b) == larger ? b : a;
  }

  /// A number that sorts like the float, minus zero below zero.
  private static long order(Format f, long a) {
    long magnitude = a & ~f.sign;
    return f.negative(a) ? -magnitude - 1 : magnitude;
  }

  /// The class as one of ten bits.
  static long classify(Format f, long a) {
    boolean negative = f.negative(a);
    if (f.isNan(a)) {
      return f.isSignalling(a) ? 1 << 8 : 1 << 9;
    }
    int rank =
        f.isInfinite(a) ? 0 : f.isZero(a) ? 3 : ((a >>> f.fraction) & f.special) == 0 ? 2 : 1;
    return 1L << (negative ? rank : 7 - rank);
  }
}
