package io.spillway.simulator.timing;

import java.util.Arrays;

/// A resource of which a few units are free in every cycle, bookable out of order.
///
/// The ring remembers as many cycles as any instruction is ahead of another; older entries are
/// overwritten.
final class Slots {
  private static final int RING = 1 << 14;

  private final int width;
  private final long[] cycleOf = new long[RING];
  private final byte[] used = new byte[RING];

  Slots(int width) {
    this.width = width;
    Arrays.fill(cycleOf, -1);
  }

  /// Whether a unit is free in `cycle`.
  boolean isFree(long cycle) {
    int i = (int) cycle & RING - 1;
    return cycleOf[i] != cycle || used[i] < width;
  }

  /// Takes a unit of `cycle`.
  void take(long cycle) {
    int i = (int) cycle & RING - 1;
    if (cycleOf[i] == cycle) {
      used[i]++;
    } else if (cycleOf[i] < cycle) {
      cycleOf[i] = cycle;
      used[i] = 1;
    }
  }

  /// Takes a unit of the first cycle from `cycle` on that has one.
  long first(long cycle) {
    while (!isFree(cycle)) {
      cycle++;
    }
    take(cycle);
    return cycle;
  }
}
