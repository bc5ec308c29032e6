package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;

/// Checks that the records of a system file share.
final class Require {
  private Require() {}

  static void between(String what, long value, long low, long high) {
    if (value < low || value > high) {
      throw SpillwayException.badInput(
          "%s is %d, it must lie between %d and %d", what, value, low, high);
    }
  }

  static void share(String what, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw SpillwayException.badInput("%s is %s, it must lie between 0 and 1", what, value);
    }
  }

  static void powerOfTwo(String what, long value) {
    if (value < 1 || Long.bitCount(value) != 1) {
      throw SpillwayException.badInput(
          "%s is %d, it must be a power of two (%d is the next)",
          what, value, value < 1 ? 1 : Long.highestOneBit(value) << 1);
    }
  }
}
