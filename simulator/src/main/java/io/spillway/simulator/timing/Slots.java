package io.spillway.simulator.timing;

import java.util.Arrays;

/// A resource of which a few units are free in every cycle, bookable out of order.
///
/// The ring remembers as many cycles as any instruction is ahead of another; older entries are
/// overwritten. A full cycle knows how far it is to one that was free when it was last asked.
final class Slots {
  private static final int RING = 1 << 14;
  private static final int MASK = RING - 1;
  private static final int USED_BITS = 11;
  private static final long USED = (1L << USED_BITS) - 1;

  private final int width;

  /// By cycle: the cycle and how many of its units are used.
  private final long[] cell = new long[RING];

  private final int[] jump = new int[RING];

  /// @param width units free in every cycle, at most 1024
  Slots(int width) {
    this.width = width;
    Arrays.fill(cell, -1);
  }

  /// The first cycle from `cycle` on that has a free unit.
  long free(long cycle) {
    long at = cycle;
    while (isFull(at)) {
      at += jump[(int) at & MASK];
    }
    if (at > cycle + 1) {
      jump[(int) cycle & MASK] = (int) (at - cycle);
    }
    return at;
  }

  private boolean isFull(long cycle) {
    long c = cell[(int) cycle & MASK];
    return c >> USED_BITS == cycle && (c & USED) >= width;
  }

  /// Takes a unit of `cycle`.
  void take(long cycle) {
    int i = (int) cycle & MASK;
    long last = cell[i] >> USED_BITS;
    if (last == cycle) {
      cell[i]++;
      jump[i] = 1;
    } else if (last < cycle) {
      cell[i] = cycle << USED_BITS | 1;
      jump[i] = 1;
    }
  }

  /// Takes a unit of the first cycle from `cycle` on that has one.
  long first(long cycle) {
    long at = free(cycle);
    take(at);
    return at;
  }
}
