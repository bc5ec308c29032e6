package io.spillway.simulator.timing;

import java.util.LinkedHashMap;
import java.util.Map;

/// Where the cycles of a core went. Every cycle up to the last commit is charged exactly once.
///
/// A cycle in which something commits belongs to `base`; a cycle in which nothing does is charged
/// to what the next instruction to commit was waiting for: memory first, then the way fetch took,
/// then full structures; what is left is execution and belongs to `base`.
public final class CycleStack {
  static final int BASE = 0;
  static final int BRANCH = 1;
  static final int FETCH = 2;
  static final int STRUCTURES = 3;

  /// The first cache level; deeper levels and then memory follow.
  static final int LEVELS = 4;

  private final long[] cycles;

  /// @param depth number of cache levels
  CycleStack(int depth) {
    cycles = new long[LEVELS + depth + 1];
  }

  /// Charges `gap` cycles: as much as each cause claims, in the order memory, front end,
  /// structures.
  ///
  /// @param level what served the data, 1 the first cache
  /// @param memory cycles waited for it
  /// @param front [#BRANCH] or [#FETCH]
  /// @param frontWait cycles lost there
  /// @param structures cycles waited for room
  void charge(long gap, int level, long memory, int front, long frontWait, long structures) {
    long rest = gap;
    if (rest > 0 && memory > 0) {
      long part = Math.min(rest, memory);
      cycles[LEVELS + level - 1] += part;
      rest -= part;
    }
    if (rest > 0 && frontWait > 0) {
      long part = Math.min(rest, frontWait);
      cycles[front] += part;
      rest -= part;
    }
    if (rest > 0 && structures > 0) {
      long part = Math.min(rest, structures);
      cycles[STRUCTURES] += part;
      rest -= part;
    }
    cycles[BASE] += rest;
  }

  /// Cycles by cause, in a fixed order.
  public Map<String, Long> byCause() {
    Map<String, Long> map = new LinkedHashMap<>();
    map.put("base", cycles[BASE]);
    map.put("branch", cycles[BRANCH]);
    map.put("fetch", cycles[FETCH]);
    map.put("full structures", cycles[STRUCTURES]);
    for (int i = LEVELS; i < cycles.length - 1; i++) {
      map.put("L" + (i - LEVELS + 1), cycles[i]);
    }
    map.put("memory", cycles[cycles.length - 1]);
    return map;
  }

  /// Forgets what was charged so far.
  void reset() {
    java.util.Arrays.fill(cycles, 0);
  }
}
