package io.spillway.simulator.timing;

import java.util.Arrays;

/// A resource of which a few units are free in every cycle, bookable out of order.
///
/// The ring remembers as many cycles as any instruction is ahead of another; older entries are
/// overwritten. A full cycle knows how far it is to one that was free when it was last asked.
final class Slots {
  private static final int RING_BITS = 14;
  private static final int MASK = (1 << RING_BITS) - 1;

  // ---- a cell: which cycle it stands for (without the bits that are its place), the distance to
  // a free cycle, the units used; together, for a run touches every cell of every ring
  private static final int USED_BITS = 11;
  private static final int USED = (1 << USED_BITS) - 1;
  private static final int TURN_SHIFT = USED_BITS + RING_BITS;
  private static final long NEXT = 1L << USED_BITS;

  private final int width;
  private final long[] cell = new long[MASK + 1];

  /// @param width units free in every cycle, at most 1024
  Slots(int width) {
    this.width = width;
    Arrays.fill(cell, -1L << TURN_SHIFT);
  }

  /// The first cycle from `cycle` on that has a free unit.
  long free(long cycle) {
    long at = cycle;
    long c = cell[(int) at & MASK];
    if (c >> TURN_SHIFT != at >> RING_BITS || (c & USED) < width) {
      return at;
    }
    do {
      at += c >>> USED_BITS & MASK;
      c = cell[(int) at & MASK];
    } while (c >> TURN_SHIFT == at >> RING_BITS && (c & USED) >= width);
    if (at > cycle + 1) {
      int first = (int) cycle & MASK;
      cell[first] = cell[first] & ~(MASK * NEXT) | Math.min(at - cycle, MASK) * NEXT;
    }
    return at;
  }

  /// Takes a unit of `cycle`.
  void take(long cycle) {
    int i = (int) cycle & MASK;
    long c = cell[i];
    long turn = cycle >> RING_BITS;
    long last = c >> TURN_SHIFT;
    if (last == turn) {
      cell[i] = (c & ~(MASK * NEXT) | NEXT) + 1;
    } else if (last < turn) {
      cell[i] = turn << TURN_SHIFT | NEXT | 1;
    }
  }

  /// Takes a unit of the first cycle from `cycle` on that has one.
  long first(long cycle) {
    long at = free(cycle);
    take(at);
    return at;
  }
}
