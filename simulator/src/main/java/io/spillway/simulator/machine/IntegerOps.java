package io.spillway.simulator.machine;

/// Integer operations that Java does not spell with one operator; shared by the interpreter and
/// generated code.
///
/// **Source:** The RISC-V Instruction Set Manual, Volume I, "M" and "B" chapters.
public final class IntegerOps {
  private IntegerOps() {}

  public static long mulhsu(long a, long b) {
    return Math.multiplyHigh(a, b) + (b >> 63 & a);
  }

  public static long div(long a, long b) {
    return b == 0 ? -1 : a / b;
  }

  public static long divu(long a, long b) {
    return b == 0 ? -1 : Long.divideUnsigned(a, b);
  }

  public static long rem(long a, long b) {
    return b == 0 ? a : a % b;
  }

  public static long remu(long a, long b) {
    return b == 0 ? a : Long.remainderUnsigned(a, b);
  }

  public static long divw(long a, long b) {
    return (int) b == 0 ? -1 : (int) a / (int) b;
  }

  public static long divuw(long a, long b) {
    return (int) b == 0 ? -1 : (int) ((a & 0xffffffffL) / (b & 0xffffffffL));
  }

  public static long remw(long a, long b) {
    return (int) b == 0 ? (int) a : (int) a % (int) b;
  }

  public static long remuw(long a, long b) {
    return (int) b == 0 ? (int) a : (int) ((a & 0xffffffffL) % (b & 0xffffffffL));
  }

  public static long sltu(long a, long b) {
    return Long.compareUnsigned(a, b) < 0 ? 1 : 0;
  }

  public static long slt(long a, long b) {
    return a < b ? 1 : 0;
  }

  public static long minu(long a, long b) {
    return Long.compareUnsigned(a, b) < 0 ? a : b;
  }

  public static long maxu(long a, long b) {
    return Long.compareUnsigned(a, b) > 0 ? a : b;
  }

  /// Every byte that is not zero becomes 255.
  public static long orcb(long a) {
    long low = 0x0101010101010101L;
    long any = a | a >>> 4 & 0x0f0f0f0f0f0f0f0fL;
    any |= any >>> 2 & 0x3f3f3f3f3f3f3f3fL;
    any |= any >>> 1 & 0x7f7f7f7f7f7f7f7fL;
    return (any & low) * 255;
  }

  public static long sh1add(long a, long b) {
    return (a << 1) + b;
  }

  public static long sh2add(long a, long b) {
    return (a << 2) + b;
  }

  public static long sh3add(long a, long b) {
    return (a << 3) + b;
  }

  public static long sh1adduw(long a, long b) {
    return ((a & 0xffffffffL) << 1) + b;
  }

  public static long sh2adduw(long a, long b) {
    return ((a & 0xffffffffL) << 2) + b;
  }

  public static long sh3adduw(long a, long b) {
    return ((a & 0xffffffffL) << 3) + b;
  }

  public static long adduw(long a, long b) {
    return (a & 0xffffffffL) + b;
  }

  public static long slluw(long a, long b) {
    return (a & 0xffffffffL) << b;
  }

  public static long andn(long a, long b) {
    return a & ~b;
  }

  public static long orn(long a, long b) {
    return a | ~b;
  }

  public static long xnor(long a, long b) {
    return ~(a ^ b);
  }

  public static long rol(long a, long b) {
    return Long.rotateLeft(a, (int) b);
  }

  public static long ror(long a, long b) {
    return Long.rotateRight(a, (int) b);
  }

  public static long rolw(long a, long b) {
    return Integer.rotateLeft((int) a, (int) b);
  }

  public static long rorw(long a, long b) {
    return Integer.rotateRight((int) a, (int) b);
  }

  public static long bclr(long a, long b) {
    return a & ~(1L << b);
  }

  public static long bext(long a, long b) {
    return a >>> b & 1;
  }

  public static long binv(long a, long b) {
    return a ^ 1L << b;
  }

  public static long bset(long a, long b) {
    return a | 1L << b;
  }

  public static long clz(long a) {
    return Long.numberOfLeadingZeros(a);
  }

  public static long ctz(long a) {
    return Long.numberOfTrailingZeros(a);
  }

  public static long cpop(long a) {
    return Long.bitCount(a);
  }

  public static long clzw(long a) {
    return Integer.numberOfLeadingZeros((int) a);
  }

  public static long ctzw(long a) {
    return Integer.numberOfTrailingZeros((int) a);
  }

  public static long cpopw(long a) {
    return Integer.bitCount((int) a);
  }

  public static long sextb(long a) {
    return (byte) a;
  }

  public static long sexth(long a) {
    return (short) a;
  }

  public static long zexth(long a) {
    return a & 0xffff;
  }

  public static long rev8(long a) {
    return Long.reverseBytes(a);
  }
}
