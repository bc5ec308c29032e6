package io.spillway.simulator.memory;

/// A clock's cycle and arithmetic on its edges in femtoseconds.
///
/// Divisions by a period are the commonest operation of a run: they go through a multiplication by
/// its inverse, put right by at most one, while times are small enough for a double to hold.
public final class Cycles {
  private static final long EXACT = 1L << 52;

  private final long period;
  private final double inverse;

  /// @param period length of a cycle in femtoseconds
  public Cycles(long period) {
    this.period = period;
    this.inverse = 1.0 / period;
  }

  /// Whole cycles that cover `time`.
  public long ceil(long time) {
    if (time >= EXACT) {
      return (time + period - 1) / period;
    }
    long quotient = (long) (time * inverse);
    long rest = time - quotient * period;
    if (rest > 0) {
      return rest > period ? quotient + 2 : quotient + 1;
    }
    return rest + period <= 0 ? quotient - 1 : quotient;
  }

  /// The first edge at or after `time`.
  long up(long time) {
    return ceil(time) * period;
  }
}
