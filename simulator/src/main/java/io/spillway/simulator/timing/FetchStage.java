package io.spillway.simulator.timing;

import io.spillway.simulator.memory.Cycles;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.system.Core;

/// Fetch of an out-of-order core: blocks of the instruction cache, a number of instructions a
/// cycle, none behind a taken branch in the same cycle. **Units:** core cycles.
final class FetchStage {
  private final MemorySystem memory;
  private final Cycles clock;
  private final long period;
  private final boolean sameClock;
  private final int blockBits;
  private final int width;

  private long block = -1;
  private long blockReady;
  private long cycle;
  private int fetchedNow;
  private boolean closed;

  FetchStage(Core.OutOfOrder core, MemorySystem memory, long period) {
    this.memory = memory;
    this.period = period;
    clock = new Cycles(period);
    sameClock = memory.fetchPeriod() == period;
    blockBits = Integer.numberOfTrailingZeros(core.fetchBuffer());
    width = core.fetchWidth();
  }

  /// The cycle in which fetch is.
  long cycle() {
    return cycle;
  }

  /// Whether the instruction fetched in `at` waited for its block.
  boolean waitedForBlock(long at) {
    return blockReady == at;
  }

  /// Fetches an instruction that has room in the queue from `room` on; returns the cycle.
  long next(long pc, int length, long room) {
    reach(pc);
    long last = pc + length - 1 >>> blockBits;
    if (last != block) {
      cycle = Math.max(cycle, blockReady);
      open(last);
    }
    return take(room);
  }

  /// Fetches an instruction on a wrong path.
  long nextOnWrongPath(long pc, long room) {
    reach(pc);
    return take(room);
  }

  private void reach(long pc) {
    long wanted = pc >>> blockBits;
    if (wanted != block) {
      open(wanted);
    }
  }

  private long take(long room) {
    long at = Math.max(Math.max(cycle, blockReady), room);
    if (at == cycle && (closed || fetchedNow >= width)) {
      at++;
    }
    if (at > cycle) {
      moveTo(at);
    }
    fetchedNow++;
    return at;
  }

  /// Asks for a block in the cycle in which fetch reached it.
  private void open(long wanted) {
    block = wanted;
    long time = cycle * period;
    int hit = sameClock ? memory.fetchHit(wanted << blockBits, time) : -1;
    blockReady = hit >= 0 ? cycle + hit : clock.ceil(memory.fetch(wanted << blockBits, time));
  }

  /// Nothing more is fetched in this cycle.
  void close() {
    closed = true;
  }

  /// Lets fetch go on in `at` at the earliest.
  void notBefore(long at) {
    moveTo(Math.max(cycle, at));
  }

  /// Lets fetch go on in `at`, which may lie before what a wrong path has reached.
  void moveTo(long at) {
    cycle = at;
    fetchedNow = 0;
    closed = false;
  }
}
