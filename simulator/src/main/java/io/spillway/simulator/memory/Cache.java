package io.spillway.simulator.memory;

import io.spillway.simulator.system.CacheLevel;
import io.spillway.simulator.system.Crossbar;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One cache with tags, misses in flight, prefetcher and the crossbar to what is below it.
///
/// A line enters the tags when its miss starts and carries the time at which it arrives; an access
/// before that time joins the miss. **Units:** femtoseconds; addresses are physical.
///
/// **Source:** the order of latencies follows gem5's classic cache: a hit costs tags and data read
/// at once, a miss leaves after the tag lookup, an answer is passed on after the response latency,
/// the rest of a line after the crossbar has carried it.
final class Cache extends Below {
  /// Who asks: the core's loads and stores, its fetch, a prefetcher of level n is `2 + n`.
  static final int DATA = 0;

  static final int FETCH = 1;

  private static final int DIRTY = 1;
  private static final int PREFETCHED = 2;

  /// A copy that may be read but not written: the level below owns the line.
  private static final int SHARED = 8;

  /// The line went up to an exclusive cache's reader and is not kept.
  private static final byte GONE = 4;

  private final CacheLevel level;
  private final int number;
  private final long period;
  private final Cycles cycles;
  private final int lineBits;
  private final int hit;
  private final Below below;
  private final @Nullable Cache next;
  private final LinkBelow link;
  private final TagArray tags;

  /// From when on each way may be read like any other.
  private final long[] ready;

  private final byte[] state;

  /// What served the miss that brought the line.
  private final byte[] source;

  private final MissRegisters misses;
  private final long responseTime;

  /// From the arrival of a line until it may be read like any other.
  private final long fillTime;

  private long blockedFrom = Long.MAX_VALUE;
  private long blockedUntil;

  private final @Nullable StrideTable strides;
  private final long[] ahead;
  private final boolean exclusive;
  private final List<Cache> above = new ArrayList<>();
  private List<Cache> peers = new ArrayList<>();
  private boolean coalesced;

  /// Whether other cores' caches watch this one.
  private boolean shared;

  private boolean othersHold;

  final CacheCounts counts = new CacheCounts();

  /// @param number 1 for the first level
  /// @param period its cycle
  /// @param crossbar the crossbar below it
  /// @param busPeriod that crossbar's cycle
  Cache(CacheLevel level, int number, long period, Below below, Crossbar crossbar, long busPeriod) {
    this.level = level;
    this.number = number;
    this.period = period;
    this.cycles = new Cycles(period);
    this.below = below;
    this.next = below instanceof Cache c ? c : null;
    this.lineBits = Integer.numberOfTrailingZeros(level.line());
    this.hit = level.hit();
    this.link = new LinkBelow(below, crossbar, level.line(), busPeriod);
    this.tags = new TagArray(level.sets(), level.ways(), level.replacement());
    this.ready = new long[tags.size()];
    this.state = new byte[tags.size()];
    this.source = new byte[tags.size()];
    this.misses = new MissRegisters(level.mshrs());
    this.responseTime = level.response() * period;
    this.fillTime = level.data() * period + link.payload();
    this.exclusive = level.inclusion() == CacheLevel.Inclusion.EXCLUSIVE;
    if (level.prefetcher().isPresent()) {
      this.strides = new StrideTable(level.prefetcher().get(), level.line());
      this.ahead = new long[strides.degree()];
    } else {
      this.strides = null;
      this.ahead = new long[0];
    }
  }

  /// Tells an inclusive cache of further caches that lose the lines that it evicts.
  void holds(List<Cache> caches) {
    if (level.inclusion() == CacheLevel.Inclusion.INCLUSIVE) {
      above.addAll(caches);
    }
  }

  CacheLevel level() {
    return level;
  }

  long period() {
    return period;
  }

  /// An access of the core itself that does nothing unless it is a plain hit; see
  /// [MemorySystem#hit].
  int hit(long address, long time, boolean write) {
    if (time >= misses.nextArrival || (time < blockedUntil && time >= blockedFrom)) {
      return -1;
    }
    long line = address >>> lineBits;
    int way = tags.find(line);
    if (way < 0 || ready[way] > time || (write && (state[way] & SHARED) != 0)) {
      return -1;
    }
    counts.accesses++;
    tags.touch(way);
    servedBy = number;
    coalesced = false;
    if (write) {
      state[way] |= DIRTY;
    }
    return hit;
  }

  /// When an access that comes at `time` is taken: later while every miss register is in use.
  long takes(long time) {
    return Math.max(time, misses.earliest());
  }

  /// An access of the core itself.
  ///
  /// @return when the core has the data, or may forget the store
  long access(long address, boolean write, long time, int requestor, long pc) {
    long line = address >>> lineBits;
    if (time >= blockedFrom && time < blockedUntil) {
      time = blockedUntil;
      counts.blocked++;
    }
    if (time >= misses.nextArrival) {
      settle(time);
    }
    counts.accesses++;
    int way = tags.find(line);
    if (way >= 0) {
      tags.touch(way);
      long arrived = ready[way] - fillTime;
      if (write) {
        if ((state[way] & SHARED) != 0) {
          if (shared) {
            snoop(line, true, time);
          }
          arrived = own(line, Math.max(time, arrived), pc, address);
          ready[way] = arrived + fillTime;
        }
        state[way] = (byte) (state[way] & ~SHARED | DIRTY);
      }
      coalesced = arrived > time;
      if (coalesced) {
        counts.misses++;
        servedBy = source[way];
        prefetch(pc, address, time, requestor, 0);
        return arrived + responseTime + link.payload();
      }
      servedBy = number;
      return cycles.up(time) + hitCycles(way, time, 0) * period;
    }
    counts.misses++;
    int flight = misses.find(line);
    coalesced = flight >= 0;
    long snooped = 0;
    boolean asks = coalesced && (misses.state[flight] & (write ? GONE | SHARED : GONE)) != 0;
    if (shared && (!coalesced || asks)) {
      snooped = snoop(line, write, time);
    }
    boolean held = othersHold;
    long done;
    boolean first = false;
    if (coalesced) {
      servedBy = misses.source[flight];
      if (asks) {
        misses.arrival[flight] = own(line, misses.arrival[flight] + link.payload(), pc, address);
        misses.state[flight] = (byte) (write || !held ? 0 : SHARED);
      }
      if (write) {
        misses.state[flight] |= DIRTY;
      }
      done = cycles.up(misses.arrival[flight]) + responseTime + link.payload();
    } else {
      first = prefetchesFirst(time, 0);
      if (first) {
        prefetch(pc, address, time, requestor, 1);
      }
      int flags = write ? DIRTY : held ? SHARED : 0;
      long arrives = miss(line, time, 0, write, requestor, pc, address, flags);
      if (flags == SHARED) {
        leaveBelow(line);
      }
      done = cycles.up(arrives) + responseTime;
    }
    if (!first) {
      prefetch(pc, address, time, requestor, 0);
    }
    return done + snooped;
  }

  /// Whether the last access joined a miss that was under way.
  boolean coalesced() {
    return coalesced;
  }

  @Override
  long read(
      long line, long time, long header, boolean write, int requestor, long pc, long address) {
    if (time >= blockedFrom && time < blockedUntil) {
      time = blockedUntil;
      counts.blocked++;
    }
    if (time >= misses.nextArrival) {
      settle(time);
    }
    counts.accesses++;
    int way = tags.find(line);
    if (way >= 0) {
      tags.touch(way);
      boolean dirty = (state[way] & DIRTY) != 0;
      boolean copy = !write && (state[way] & SHARED) != 0;
      state[way] = (byte) (state[way] & SHARED);
      long arrived = ready[way] - fillTime;
      long left = cycles.up(time) + hitCycles(way, time, header) * period;
      if (exclusive) {
        tags.clear(way);
      }
      servedBy = number;
      if (arrived > time) {
        counts.misses++;
        servedBy = source[way];
        prefetch(pc, address, time, requestor, 0);
        left = arrived + responseTime;
      }
      servedDirty = dirty;
      servedShared = copy;
      return left;
    }
    counts.misses++;
    int flight = misses.find(line);
    long arrives;
    boolean first = false;
    if (flight >= 0) {
      servedBy = misses.source[flight];
      handUp(flight, write);
      arrives = misses.arrival[flight];
    } else {
      first = prefetchesFirst(time, header);
      if (first) {
        prefetch(pc, address, time, requestor, 1);
      }
      arrives = miss(line, time, header, write, requestor, pc, address, 0);
      int started = misses.find(line);
      if (started >= 0) {
        handUp(started, write);
      }
    }
    if (!first) {
      boolean dirty = servedDirty;
      boolean copy = servedShared;
      prefetch(pc, address, time, requestor, 0);
      servedDirty = dirty;
      servedShared = copy;
    }
    return cycles.up(arrives) + responseTime;
  }

  /// Decides what a requestor above gets of a line that was not here: whoever wants to write gets
  /// it with its modification; a reader of a modified line gets a copy, for this cache had no time
  /// to tell it that it owns the line.
  private void handUp(int flight, boolean write) {
    boolean dirty = (misses.state[flight] & DIRTY) != 0;
    if (exclusive) {
      servedDirty = dirty;
      servedShared = false;
      misses.state[flight] = GONE;
    } else if (write || !dirty) {
      servedDirty = dirty;
      servedShared = !write && (misses.state[flight] & SHARED) != 0;
      misses.state[flight] = (byte) (misses.state[flight] & SHARED);
    } else {
      servedDirty = false;
      servedShared = true;
    }
  }

  /// Asks the level below for the right to write a line of which a copy is here; returns when it
  /// comes.
  private long own(long line, long time, long pc, long address) {
    counts.upgrades++;
    return link.own(line, cycles.up(time) + level.tag() * period, pc, address);
  }

  @Override
  void write(long line, long time, long header, boolean dirty) {
    counts.writebacks++;
    int way = tags.find(line);
    if (way < 0) {
      int flight = misses.find(line);
      if (flight >= 0) {
        misses.state[flight] =
            (byte) ((misses.state[flight] & ~(GONE | SHARED)) | (dirty ? DIRTY : 0));
        return;
      }
      way = insert(line, time + header);
      ready[way] = time + header;
    }
    tags.touch(way);
    if (dirty) {
      state[way] |= DIRTY;
    }
  }

  /// Puts the lines that have arrived by `time` into the tags, in the order of their arrival.
  private void settle(long time) {
    for (int flight = misses.arrived(time); flight >= 0; flight = misses.arrived(time)) {
      fill(flight);
    }
  }

  private void fill(int flight) {
    long line = misses.line(flight);
    long arrives = misses.arrival[flight];
    byte flags = misses.state[flight];
    byte served = misses.source[flight];
    misses.remove(flight);
    if ((flags & GONE) != 0) {
      return;
    }
    int way = insert(line, arrives);
    state[way] = flags;
    source[way] = served;
    ready[way] = cycles.up(arrives) + fillTime;
    tags.touch(way);
  }

  private long hitCycles(int way, long time, long header) {
    long taken = (header == 0 ? 0 : cycles.ceil(header)) + hit;
    long wait = ready[way] - time - header;
    if (wait > 0) {
      long more = cycles.ceil(wait);
      if (more > taken) {
        taken += more;
      }
    }
    return taken;
  }

  /// Starts a miss; returns when the line arrives here and leaves who served it in `servedBy`.
  private long miss(
      long line,
      long time,
      long header,
      boolean write,
      int requestor,
      long pc,
      long address,
      int flags) {
    long start = Math.max(time, misses.earliest());
    long leaves = cycles.up(start) + level.tag() * period + header;
    return send(line, start, leaves, write, requestor, pc, address, flags);
  }

  /// Sends a miss down that holds a free miss register from `start` on.
  private long send(
      long line,
      long start,
      long leaves,
      boolean write,
      int requestor,
      long pc,
      long address,
      int flags) {
    boolean last = misses.isLast(start);
    long arrives = link.read(line, leaves, write, requestor, pc, address);
    counts.bytesIn += level.line();
    misses.hold(arrives);
    if (last) {
      blockedFrom = start;
      blockedUntil = misses.earliest();
    }
    int served = below.servedBy;
    if (misses.isFull()) {
      settle(misses.nextArrival);
    }
    int state = (below.servedDirty ? DIRTY : 0) | (below.servedShared ? SHARED : 0);
    misses.add(line, arrives, flags | state, served);
    servedBy = served;
    counts.fills++;
    return arrives;
  }

  @Override
  void warm(long line, boolean dirty) {
    int way = tags.find(line);
    if (way < 0) {
      below.warm(line, false);
      way = tags.victim(line);
      if (tags.line(way) != -1 && (state[way] & DIRTY) != 0 && next != null) {
        next.warm(tags.line(way), true);
      }
      tags.put(way, line);
      state[way] = 0;
      ready[way] = 0;
    }
    tags.touch(way);
    if (dirty) {
      state[way] |= DIRTY;
    }
  }

  /// Makes this data cache and all that `other` knows watch each other's lines.
  void joins(Cache other) {
    if (other.peers.isEmpty()) {
      other.peers.add(other);
      other.shared = true;
    }
    shared = true;
    peers = other.peers;
    peers.add(this);
  }

  /// Modified-exclusive-shared-invalid between first-level data caches: a write takes the line away
  /// from the others, a read leaves everybody a copy; a modified line goes down first. Leaves in
  /// `othersHold` whether another cache still has the line, returns the time that it adds.
  private long snoop(long line, boolean write, long time) {
    long added = 0;
    othersHold = false;
    for (Cache peer : peers) {
      if (peer == this) {
        continue;
      }
      int way = peer.tags.find(line);
      int flight = way < 0 ? peer.misses.find(line) : -1;
      if (way < 0 && flight < 0) {
        continue;
      }
      byte before = way >= 0 ? peer.state[way] : peer.misses.state[flight];
      if ((before & GONE) != 0) {
        continue;
      }
      if ((before & DIRTY) != 0) {
        below.write(line, time, link.request(), true);
        peer.counts.snoopWritebacks++;
        added = link.request() + link.response() + peer.level.hit() * peer.period;
      }
      if (write) {
        peer.counts.invalidations++;
        if (way >= 0) {
          peer.tags.clear(way);
        } else {
          peer.misses.state[flight] = GONE;
        }
        continue;
      }
      othersHold = true;
      byte copy = (byte) (before & ~DIRTY | SHARED);
      if (way >= 0) {
        peer.state[way] = copy;
      } else {
        peer.misses.state[flight] = copy;
      }
    }
    return added;
  }

  /// Gives the modification of a line that has just come and that others hold too back to the level
  /// below.
  private void leaveBelow(long line) {
    int flight = misses.find(line);
    if (flight >= 0 && (misses.state[flight] & DIRTY) != 0) {
      misses.state[flight] &= ~DIRTY;
      below.modified(line);
    }
  }

  @Override
  void modified(long line) {
    int way = tags.find(line);
    int flight = way < 0 ? misses.find(line) : -1;
    if (way >= 0) {
      state[way] |= DIRTY;
    } else if (flight >= 0) {
      misses.state[flight] |= DIRTY;
    } else {
      below.modified(line);
    }
  }

  /// The state of the line that holds `address`: `M`, `E`, `S` or `I`.
  char coherence(long address) {
    long line = address >>> lineBits;
    int way = tags.find(line);
    int flight = way < 0 ? misses.find(line) : -1;
    if (way < 0 && flight < 0) {
      return 'I';
    }
    byte flags = way >= 0 ? state[way] : misses.state[flight];
    return (flags & GONE) != 0
        ? 'I'
        : (flags & DIRTY) != 0 ? 'M' : (flags & SHARED) != 0 ? 'S' : 'E';
  }

  private void evict(int way, long time) {
    long line = tags.line(way);
    boolean dirty = (state[way] & DIRTY) != 0;
    for (Cache cache : above) {
      dirty |= cache.drop(line);
    }
    if (dirty || level.writebackClean() || (next != null && next.exclusive)) {
      long start = link.bookWrite(time);
      counts.bytesOut += level.line();
      if (dirty) {
        counts.dirtyEvictions++;
      }
      if (next != null || dirty) {
        link.write(line, start, dirty);
      }
    }
    tags.clear(way);
  }

  /// Removes a line; returns whether it was modified.
  boolean drop(long line) {
    int way = tags.find(line);
    if (way < 0) {
      return false;
    }
    boolean dirty = (state[way] & DIRTY) != 0;
    tags.clear(way);
    return dirty;
  }

  private int insert(long line, long time) {
    int victim = tags.victim(line);
    if (tags.line(victim) != -1) {
      evict(victim, time);
    }
    tags.put(victim, line);
    state[victim] = 0;
    return victim;
  }

  /// Whether prefetches leave before the miss that causes them: they are ready a cycle after it
  /// came, it leaves after the tag lookup, which begins at a clock edge.
  private boolean prefetchesFirst(long time, long header) {
    return strides != null && time + period < cycles.up(time) + level.tag() * period + header;
  }

  private void prefetch(long pc, long address, long time, int requestor, int reserved) {
    StrideTable table = strides;
    if (table == null || requestor == FETCH) {
      return;
    }
    int served = servedBy;
    int count = table.ahead(pc, address, ahead);
    long at = time + period;
    for (int d = 0; d < count; d++) {
      long line = ahead[d];
      if (tags.find(line) >= 0 || misses.find(line) >= 0) {
        continue;
      }
      at = misses.roomForPrefetch(at, reserved);
      counts.prefetches++;
      boolean copy = false;
      if (shared) {
        snoop(line, false, at);
        copy = othersHold;
      }
      int flags = copy ? PREFETCHED | SHARED : PREFETCHED;
      send(line, at, at, false, 2 + number, pc, line << lineBits, flags);
      if (copy) {
        leaveBelow(line);
      }
      at += period;
    }
    servedBy = served;
  }
}
