package io.spillway.simulator.memory;

/// The misses of a cache that are on their way and the registers (MSHRs) that they hold, in no
/// order. A register is free when its line arrives. **Units:** femtoseconds.
final class MissRegisters {
  /// Registers that prefetches leave to demand.
  private static final int RESERVE = 2;

  private final long[] release;
  private final long[] lines;

  /// When each line arrives.
  final long[] arrival;

  /// Flags that the line will have.
  final byte[] state;

  /// What served it.
  final byte[] source;

  private int count;

  /// When the next line arrives; never later than that.
  long nextArrival = Long.MAX_VALUE;

  MissRegisters(int registers) {
    release = new long[registers];
    int flights = 2 * registers + 8;
    lines = new long[flights];
    arrival = new long[flights];
    state = new byte[flights];
    source = new byte[flights];
  }

  /// The flight of a line, or -1.
  int find(long line) {
    for (int i = 0; i < count; i++) {
      if (lines[i] == line) {
        return i;
      }
    }
    return -1;
  }

  long line(int flight) {
    return lines[flight];
  }

  boolean isFull() {
    return count == lines.length;
  }

  void add(long line, long arrives, int flags, int served) {
    lines[count] = line;
    arrival[count] = arrives;
    state[count] = (byte) flags;
    source[count] = (byte) served;
    count++;
    nextArrival = Math.min(nextArrival, arrives);
  }

  void remove(int flight) {
    count--;
    lines[flight] = lines[count];
    arrival[flight] = arrival[count];
    state[flight] = state[count];
    source[flight] = source[count];
  }

  /// The flight that arrives first if it does so by `time`, else -1.
  int arrived(long time) {
    int first = -1;
    long earliest = Long.MAX_VALUE;
    for (int i = 0; i < count; i++) {
      if (arrival[i] < earliest) {
        earliest = arrival[i];
        first = i;
      }
    }
    nextArrival = earliest;
    return earliest <= time ? first : -1;
  }

  /// The first time at which a register is free.
  long earliest() {
    long earliest = Long.MAX_VALUE;
    for (long r : release) {
      earliest = Math.min(earliest, r);
    }
    return earliest;
  }

  /// Whether a miss that starts at `start` takes the last free register.
  boolean isLast(long start) {
    int free = 0;
    for (long r : release) {
      free += r <= start ? 1 : 0;
    }
    return free <= 1;
  }

  /// Takes the register that is free first and holds it until `until`.
  void hold(long until) {
    int slot = 0;
    for (int i = 1; i < release.length; i++) {
      if (release[i] < release[slot]) {
        slot = i;
      }
    }
    release[slot] = until;
  }

  /// The first time from `time` on at which a prefetch finds a register.
  ///
  /// @param reserved registers that are about to be taken
  long roomForPrefetch(long time, int reserved) {
    int limit = Math.max(1, release.length - RESERVE - reserved);
    while (true) {
      int inFlight = 0;
      long earliest = Long.MAX_VALUE;
      for (long r : release) {
        if (r > time) {
          inFlight++;
          earliest = Math.min(earliest, r);
        }
      }
      if (inFlight < limit) {
        return time;
      }
      time = earliest;
    }
  }
}
