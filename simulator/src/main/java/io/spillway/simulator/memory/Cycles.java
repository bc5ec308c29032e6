package io.spillway.simulator.memory;

/// Arithmetic on clock edges in femtoseconds.
final class Cycles {
  private Cycles() {}

  /// The first edge at or after `time`.
  static long up(long time, long period) {
    long rest = time % period;
    return rest == 0 ? time : time + period - rest;
  }

  /// Whole cycles that cover `time`.
  static long ceil(long time, long period) {
    return (time + period - 1) / period;
  }
}
