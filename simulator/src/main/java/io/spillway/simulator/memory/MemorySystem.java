package io.spillway.simulator.memory;

import io.spillway.simulator.system.CacheLevel;
import io.spillway.simulator.system.Crossbar;
import io.spillway.simulator.system.SystemDescription;
import java.util.ArrayList;
import java.util.List;

/// The caches and the memory of one core, built from a system file.
///
/// **Units:** femtoseconds. A load or store returns the time at which the core has its answer.
public final class MemorySystem {
  private final Cache instructions;
  private final Cache data;
  private final List<Cache> levels = new ArrayList<>();
  private final DramController dram;
  private final FrameTable frames;
  private final int lineBits;
  private final SystemDescription system;

  public MemorySystem(SystemDescription s) {
    system = s;
    frames = new FrameTable();
    double fast = s.fast().hertz();
    int depth = s.levels().size();
    dram = new DramController(s.dram(), depth + 2);
    Below below = dram;
    for (int i = depth - 1; i >= 0; i--) {
      CacheLevel level = s.levels().get(i);
      Crossbar bus = i + 1 < depth ? s.levels().get(i + 1).above().orElseThrow() : s.memoryBus();
      Cache cache =
          new Cache(level, i + 2, level.clock().period(fast), below, bus, bus.clock().period(fast));
      levels.add(0, cache);
      below = cache;
    }
    Crossbar first = depth > 0 ? s.levels().get(0).above().orElseThrow() : s.memoryBus();
    long firstPeriod = first.clock().period(fast);
    instructions = new Cache(s.l1i(), 1, s.l1i().clock().period(fast), below, first, firstPeriod);
    data = new Cache(s.l1d(), 1, s.l1d().clock().period(fast), below, first, firstPeriod);
    List<Cache> above = new ArrayList<>(List.of(instructions, data));
    for (Cache cache : levels) {
      cache.holds(List.copyOf(above));
      above.add(cache);
    }
    lineBits = Integer.numberOfTrailingZeros(s.l1d().line());
  }

  /// Another core's first-level caches on the same lower levels and memory; the data caches keep
  /// each other coherent.
  private MemorySystem(MemorySystem first) {
    system = first.system;
    frames = first.frames;
    dram = first.dram;
    levels.addAll(first.levels);
    lineBits = first.lineBits;
    double fast = system.fast().hertz();
    int depth = levels.size();
    Below below = depth > 0 ? levels.get(0) : dram;
    Crossbar bus = depth > 0 ? system.levels().get(0).above().orElseThrow() : system.memoryBus();
    long busPeriod = bus.clock().period(fast);
    instructions =
        new Cache(system.l1i(), 1, system.l1i().clock().period(fast), below, bus, busPeriod);
    data = new Cache(system.l1d(), 1, system.l1d().clock().period(fast), below, bus, busPeriod);
    data.joins(first.data);
    levels.forEach(level -> level.holds(List.of(instructions, data)));
  }

  /// The memory side of one more core.
  public MemorySystem sibling() {
    return new MemorySystem(this);
  }

  /// Puts the line of an instruction or datum into the caches without timing, as warming does.
  public void warm(long address, boolean write, boolean fetch) {
    (fetch ? instructions : data).warm(frames.physical(address) >>> lineBits, write);
  }

  /// Sets every count to zero.
  public void resetCounts() {
    instructions.counts.reset();
    data.counts.reset();
    levels.forEach(level -> level.counts.reset());
    dram.resetCounts();
  }

  /// Bytes a second that the crossbar above a shared level carries at most: one line per header and
  /// payload.
  public double limit(int number) {
    Crossbar bus = system.levels().get(number - 2).above().orElseThrow();
    int line = system.l1d().line();
    long cycles = bus.header() + (line + bus.width() - 1) / bus.width();
    return line * bus.clock().rate(system.fast().hertz()) / cycles;
  }

  /// Bytes a second that the DRAM data bus carries at most.
  public double dramLimit() {
    return system.dram().burstBytes() / (system.dram().burst() * 1e-9);
  }

  /// Bytes that the busier direction of the crossbar above a shared level carried, 2 for the
  /// second.
  public long bytes(int number) {
    if (number == 2) {
      return Math.max(
          instructions.counts.bytesIn + data.counts.bytesIn,
          instructions.counts.bytesOut + data.counts.bytesOut);
    }
    CacheCounts above = levels.get(number - 3).counts;
    return Math.max(above.bytesIn, above.bytesOut);
  }

  public FrameTable frames() {
    return frames;
  }

  /// Fetches the line of an instruction.
  public long fetch(long address, long time) {
    return instructions.access(frames.physical(address), false, time, Cache.FETCH, address);
  }

  /// Reads data; an access across two lines waits for the later one.
  public long load(long address, int bytes, long time, long pc) {
    return access(address, bytes, false, time, pc);
  }

  /// When the first data cache takes an access that comes at `time`.
  public long takes(long time) {
    return data.takes(time);
  }

  /// Writes data; returns when the cache has taken it.
  public long store(long address, int bytes, long time, long pc) {
    return access(address, bytes, true, time, pc);
  }

  /// Accesses data if that is a plain hit of the first level: the line is there, nothing is on its
  /// way and the cache is free.
  ///
  /// @param time on an edge of the first data cache's clock
  /// @return cycles of that cache until the answer, or -1, when nothing has been done
  public int hit(long address, int bytes, long time, boolean write) {
    if ((address + bytes - 1 ^ address) >>> lineBits != 0) {
      return -1;
    }
    return data.hit(frames.physical(address), time, write);
  }

  /// Fetches the line of an instruction if that is a plain hit of the first level; like [#hit].
  public int fetchHit(long address, long time) {
    return instructions.hit(frames.physical(address), time, false);
  }

  /// Cycle of the first instruction cache.
  public long fetchPeriod() {
    return instructions.period();
  }

  /// Cycle of the first data cache.
  public long dataPeriod() {
    return data.period();
  }

  private long access(long address, int bytes, boolean write, long time, long pc) {
    long done = data.access(frames.physical(address), write, time, Cache.DATA, pc);
    long last = address + bytes - 1;
    if (bytes > 1 && last >>> lineBits != address >>> lineBits) {
      done = Math.max(done, data.access(frames.physical(last), write, time, Cache.DATA, pc));
    }
    return done;
  }

  /// What served the last load or store: 1 the first level, one past the last cache for memory.
  public int servedBy() {
    return data.servedBy;
  }

  /// What served the last fetch.
  public int fetchServedBy() {
    return instructions.servedBy;
  }

  /// What the first data cache holds of the line of `address`: modified `M`, exclusive `E`, shared
  /// `S` or nothing, `I`.
  public char coherence(long address) {
    return data.coherence(frames.physical(address));
  }

  /// Number of cache levels.
  public int depth() {
    return levels.size() + 1;
  }

  public CacheCounts instructionCounts() {
    return instructions.counts;
  }

  public CacheCounts dataCounts() {
    return data.counts;
  }

  /// Counts of a shared level, 2 for the second.
  public CacheCounts counts(int number) {
    return levels.get(number - 2).counts;
  }

  public long dramReads() {
    return dram.reads;
  }

  public long dramWrites() {
    return dram.writes;
  }

  public long dramRowHits() {
    return dram.rowHits();
  }

  /// Time that the DRAM data bus moved data.
  public long dramBusy() {
    return dram.busBusy();
  }
}
