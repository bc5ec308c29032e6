package io.spillway.simulator.machine;

/// Accrued exception flags and dynamic rounding mode of one hart (`fcsr`).
public final class FloatStatus {
  public static final int INEXACT = 1;
  public static final int UNDERFLOW = 2;
  public static final int OVERFLOW = 4;
  public static final int DIVIDE_BY_ZERO = 8;
  public static final int INVALID = 16;

  private int flags;
  private int mode;

  /// Whether rounding is to nearest even and inexact is accrued already: then a finite, normal
  /// result of the host is the right one and changes no flag.
  boolean settled;

  /// Whether ordinary results of the host change nothing; see [SettledFloats].
  public boolean isSettled() {
    return settled;
  }

  public int flags() {
    return flags;
  }

  /// The dynamic rounding mode, 0 to 4; larger ones make instructions that use them illegal.
  public int mode() {
    return mode;
  }

  public int csr() {
    return mode << 5 | flags;
  }

  public void setCsr(long value) {
    flags = (int) value & 31;
    mode = (int) value >>> 5 & 7;
    update();
  }

  /// Accrues exceptions.
  public void raise(int raised) {
    flags |= raised;
    update();
  }

  private void update() {
    settled = mode == SoftFloat.NEAREST_EVEN && (flags & INEXACT) != 0;
  }
}
