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
}
