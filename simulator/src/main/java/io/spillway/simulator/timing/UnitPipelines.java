package io.spillway.simulator.timing;

/// The functional units of an in-order core: rigid pipelines that stall as a whole while their
/// oldest operation waits at the end for its turn to commit. **Units:** core cycles.
final class UnitPipelines {
  // ---- what is kept of each unit: from when it takes another, when it took the last, when that
  // reaches the end and when it leaves
  private static final int FREE = 0;
  private static final int LAST = 1;
  private static final int END = 2;
  private static final int POP = 3;
  private static final int FIELDS = 4;

  private final long[] unit;
  private int chosen;

  UnitPipelines(int units) {
    unit = new long[FIELDS * units];
  }

  /// Chooses the unit that takes an operation first from `cycle` on; returns when it does.
  long choose(TimedInstruction t, long cycle) {
    chosen = FIELDS * t.firstUnit;
    long from = takes(chosen, cycle);
    for (int u = chosen + FIELDS; from > cycle && u < FIELDS * t.endUnit; u += FIELDS) {
      long other = takes(u, cycle);
      if (other < from) {
        chosen = u;
        from = other;
      }
    }
    return from;
  }

  /// When a unit takes another operation from `cycle` on: not while its last one waits at the end.
  private long takes(int u, long cycle) {
    long from = Math.max(cycle, unit[u + FREE]);
    return from >= unit[u + END] && from < unit[u + POP] ? unit[u + POP] : from;
  }

  /// Puts an operation into the chosen unit; returns when it is at the end.
  long enter(TimedInstruction t, long issued) {
    int u = chosen;
    int latency = t.latency;
    long end =
        Math.max(issued + latency, unit[u + POP] + Math.min(issued - unit[u + LAST], latency));
    unit[u + FREE] = issued + Math.max(1, t.interval);
    unit[u + LAST] = issued;
    unit[u + END] = end;
    return end;
  }

  /// Says when the operation that entered last leaves its unit.
  void leave(long cycle) {
    unit[chosen + POP] = cycle;
  }
}
