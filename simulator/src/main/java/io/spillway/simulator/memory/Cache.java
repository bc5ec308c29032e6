package io.spillway.simulator.memory;

import io.spillway.simulator.system.CacheLevel;
import io.spillway.simulator.system.Crossbar;
import java.util.Arrays;
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

  private static final int PAGE_BITS = 12;

  private final CacheLevel level;
  private final int number;
  private final long period;
  private final Cycles cycles;
  private final int lineBits;
  private final int ways;
  private final int hit;
  private final int setMask;
  private final Below below;
  private final @Nullable Cache next;
  private final Cycles bus;
  private final long busRequest;
  private final long busResponse;
  private final long busHeader;
  private final long busPayload;
  private final Layer requests = new Layer();
  private final Layer responses = new Layer();

  private final long[] tag;
  private final long[] stamp;
  private final long[] ready;
  private final byte[] state;

  /// What served the miss that brought the line.
  private final byte[] source;

  /// The way that a set hit last.
  private final int[] recent;

  // ---- misses on their way, in no order
  private final long[] pendingLine;
  private final long[] pendingArrival;
  private final byte[] pendingState;
  private final byte[] pendingSource;
  private int pending;
  private long nextArrival = Long.MAX_VALUE;
  private final long[] mshr;
  private final long responseTime;

  /// From the arrival of a line until it may be read like any other.
  private final long fillTime;

  private long clock;
  private long blockedFrom = Long.MAX_VALUE;
  private long blockedUntil;
  private long random = 0x2545F4914F6CDD1DL;

  private final @Nullable StrideTable strides;
  private final int degree;
  private final CacheLevel.Replacement replacement;
  private final boolean exclusive;
  private java.util.List<Cache> above = java.util.List.of();
  private java.util.List<Cache> peers = new java.util.ArrayList<>();
  private boolean coalesced;

  /// Whether other cores' caches watch this one.
  private boolean shared;

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
    this.ways = level.ways();
    this.hit = level.hit();
    this.setMask = level.sets() - 1;
    this.bus = new Cycles(busPeriod);
    this.busRequest =
        (long) (crossbar.frontend() + crossbar.forward() + crossbar.lookup()) * busPeriod;
    this.busResponse = crossbar.response() * busPeriod;
    this.busHeader = crossbar.header() * busPeriod;
    this.busPayload = (long) ((level.line() + crossbar.width() - 1) / crossbar.width()) * busPeriod;
    int lines = level.sets() * ways;
    this.tag = new long[lines];
    Arrays.fill(tag, -1);
    this.stamp = new long[lines];
    this.ready = new long[lines];
    this.state = new byte[lines];
    this.source = new byte[lines];
    this.recent = new int[level.sets()];
    Arrays.setAll(recent, set -> set * ways);
    int flights = 2 * level.mshrs() + 8;
    this.pendingLine = new long[flights];
    this.pendingArrival = new long[flights];
    this.pendingState = new byte[flights];
    this.pendingSource = new byte[flights];
    this.mshr = new long[level.mshrs()];
    this.responseTime = level.response() * period;
    this.fillTime = level.data() * period + busPayload;
    this.replacement = level.replacement();
    this.exclusive = level.inclusion() == CacheLevel.Inclusion.EXCLUSIVE;
    if (level.prefetcher().isPresent()) {
      this.strides = new StrideTable(level.prefetcher().get());
      this.degree = level.prefetcher().get().degree();
    } else {
      this.strides = null;
      this.degree = 0;
    }
  }

  /// Tells an inclusive cache which caches lose the lines that it evicts.
  void holds(java.util.List<Cache> caches) {
    if (level.inclusion() == CacheLevel.Inclusion.INCLUSIVE) {
      above = caches;
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
    if (time >= nextArrival || (time < blockedUntil && time >= blockedFrom) || shared) {
      return -1;
    }
    long line = address >>> lineBits;
    int set = (int) line & setMask;
    int way = recent[set];
    if (tag[way] != line) {
      way = find(line);
      if (way < 0) {
        return -1;
      }
      recent[set] = way;
    }
    if (ready[way] > time || (write && (state[way] & SHARED) != 0)) {
      return -1;
    }
    counts.accesses++;
    touch(way);
    servedBy = number;
    coalesced = false;
    if (write) {
      state[way] |= DIRTY;
    }
    return hit;
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
    if (time >= nextArrival) {
      settle(time);
    }
    counts.accesses++;
    long snooped = shared ? snoop(line, write, time) : 0;
    int way = find(line);
    if (way >= 0) {
      touch(way);
      long arrived = ready[way] - fillTime;
      if (write) {
        if ((state[way] & SHARED) != 0) {
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
        return arrived + responseTime + busPayload + snooped;
      }
      servedBy = number;
      return cycles.up(time) + hitCycles(way, time, 0) * period + snooped;
    }
    counts.misses++;
    int flight = flight(line);
    coalesced = flight >= 0;
    long done;
    boolean first = false;
    if (coalesced) {
      servedBy = pendingSource[flight];
      if (write) {
        if ((pendingState[flight] & SHARED) != 0) {
          pendingArrival[flight] = own(line, pendingArrival[flight] + busPayload, pc, address);
        }
        pendingState[flight] = (byte) (pendingState[flight] & ~SHARED | DIRTY);
      }
      done = cycles.up(pendingArrival[flight]) + responseTime + busPayload;
    } else {
      first = prefetchesFirst(time, 0);
      if (first) {
        prefetch(pc, address, time, requestor, 1);
      }
      long arrives = miss(line, time, 0, write, requestor, pc, address, write ? DIRTY : 0);
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
    if (time >= nextArrival) {
      settle(time);
    }
    counts.accesses++;
    int way = find(line);
    if (way >= 0) {
      touch(way);
      boolean dirty = (state[way] & DIRTY) != 0;
      boolean copy = !write && (state[way] & SHARED) != 0;
      state[way] = (byte) (state[way] & SHARED);
      long arrived = ready[way] - fillTime;
      long left = cycles.up(time) + hitCycles(way, time, header) * period;
      if (exclusive) {
        tag[way] = -1;
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
    int flight = flight(line);
    long arrives;
    boolean first = false;
    if (flight >= 0) {
      servedBy = pendingSource[flight];
      handUp(flight, write);
      arrives = pendingArrival[flight];
    } else {
      first = prefetchesFirst(time, header);
      if (first) {
        prefetch(pc, address, time, requestor, 1);
      }
      arrives = miss(line, time, header, write, requestor, pc, address, 0);
      int started = flight(line);
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
    boolean dirty = (pendingState[flight] & DIRTY) != 0;
    if (exclusive) {
      servedDirty = dirty;
      servedShared = false;
      pendingState[flight] = GONE;
    } else if (write || !dirty) {
      servedDirty = dirty;
      servedShared = !write && (pendingState[flight] & SHARED) != 0;
      pendingState[flight] = (byte) (pendingState[flight] & SHARED);
    } else {
      servedDirty = false;
      servedShared = true;
    }
  }

  /// Asks the level below for the right to write a line of which a copy is here; returns when it
  /// comes.
  private long own(long line, long time, long pc, long address) {
    long leaves = cycles.up(time) + level.tag() * period;
    long start = requests.book(leaves, busHeader, bus);
    long header = bus.up(start) - start + busRequest;
    long answer = below.read(line, start, header, true, DATA, pc, address);
    long granted = responses.book(answer, busHeader, bus);
    return bus.up(granted) + busResponse;
  }

  @Override
  void write(long line, long time, long header, boolean dirty) {
    counts.writebacks++;
    int way = find(line);
    if (way < 0) {
      int flight = flight(line);
      if (flight >= 0) {
        pendingState[flight] =
            (byte) ((pendingState[flight] & ~(GONE | SHARED)) | (dirty ? DIRTY : 0));
        return;
      }
      way = insert(line, time + header);
      ready[way] = time + header;
    }
    touch(way);
    if (dirty) {
      state[way] |= DIRTY;
    }
  }

  private int flight(long line) {
    for (int i = 0; i < pending; i++) {
      if (pendingLine[i] == line) {
        return i;
      }
    }
    return -1;
  }

  /// Puts the lines that have arrived by `time` into the tags, in the order of their arrival.
  private void settle(long time) {
    while (pending > 0) {
      int first = 0;
      for (int i = 1; i < pending; i++) {
        if (pendingArrival[i] < pendingArrival[first]) {
          first = i;
        }
      }
      if (pendingArrival[first] > time) {
        nextArrival = pendingArrival[first];
        return;
      }
      fill(first);
    }
    nextArrival = Long.MAX_VALUE;
  }

  private void fill(int flight) {
    long line = pendingLine[flight];
    long arrives = pendingArrival[flight];
    byte flags = pendingState[flight];
    byte served = pendingSource[flight];
    pending--;
    pendingLine[flight] = pendingLine[pending];
    pendingArrival[flight] = pendingArrival[pending];
    pendingState[flight] = pendingState[pending];
    pendingSource[flight] = pendingSource[pending];
    if ((flags & GONE) != 0) {
      return;
    }
    int way = insert(line, arrives);
    state[way] = flags;
    source[way] = served;
    ready[way] = cycles.up(arrives) + fillTime;
    touch(way);
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
    long earliest = Long.MAX_VALUE;
    for (long release : mshr) {
      earliest = Math.min(earliest, release);
    }
    long start = Math.max(time, earliest);
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
    int slot = 0;
    int inFlight = 0;
    for (int i = 0; i < mshr.length; i++) {
      if (mshr[i] < mshr[slot]) {
        slot = i;
      }
      if (mshr[i] > start) {
        inFlight++;
      }
    }
    long arrives = fetch(line, leaves, write, requestor, pc, address);
    mshr[slot] = arrives;
    if (inFlight + 1 >= mshr.length) {
      long earliest = Long.MAX_VALUE;
      for (long release : mshr) {
        earliest = Math.min(earliest, release);
      }
      blockedFrom = start;
      blockedUntil = earliest;
    }
    int served = below.servedBy;
    if (pending == pendingLine.length) {
      settle(nextArrival);
    }
    pendingLine[pending] = line;
    pendingArrival[pending] = arrives;
    pendingState[pending] =
        (byte) (flags | (below.servedDirty ? DIRTY : 0) | (below.servedShared ? SHARED : 0));
    pendingSource[pending] = (byte) served;
    pending++;
    nextArrival = Math.min(nextArrival, arrives);
    servedBy = served;
    counts.fills++;
    return arrives;
  }

  /// Sends a request down and returns when its answer arrives.
  private long fetch(long line, long send, boolean write, int requestor, long pc, long address) {
    long start = requests.book(send, busHeader, bus);
    long header = bus.up(start) - start + busRequest;
    long leaves = below.read(line, start, header, write, requestor, pc, address);
    long granted = responses.book(leaves, busHeader + busPayload, bus);
    counts.bytesIn += level.line();
    return bus.up(granted) + busResponse;
  }

  @Override
  void warm(long line, boolean dirty) {
    int way = find(line);
    if (way < 0) {
      below.warm(line, false);
      int base = (int) (line & setMask) * ways;
      way = victim(base);
      if (tag[way] != -1 && (state[way] & DIRTY) != 0 && next != null) {
        next.warm(tag[way], true);
      }
      tag[way] = line;
      state[way] = 0;
      stamp[way] = replacement == CacheLevel.Replacement.SRRIP ? 2 : ++clock;
      ready[way] = 0;
    }
    touch(way);
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
  /// from the others, a read makes a modified one shared. Returns the time that it adds.
  private long snoop(long line, boolean write, long time) {
    long added = 0;
    for (Cache peer : peers) {
      if (peer == this) {
        continue;
      }
      int way = peer.find(line);
      if (way < 0) {
        continue;
      }
      boolean dirty = (peer.state[way] & DIRTY) != 0;
      if (dirty) {
        below.write(line, time, busRequest, true);
        peer.state[way] &= ~DIRTY;
      }
      if (write) {
        peer.tag[way] = -1;
      }
      if (dirty || write) {
        counts.snoops++;
        added = busRequest + busResponse + peer.level.hit() * peer.period;
      }
    }
    return added;
  }

  private void evict(int way, long time) {
    long line = tag[way];
    boolean dirty = (state[way] & DIRTY) != 0;
    for (Cache cache : above) {
      dirty |= cache.drop(line);
    }
    if (dirty || level.writebackClean() || (next != null && next.exclusive)) {
      long start = requests.book(time, busHeader + busPayload, bus);
      long header = bus.up(start) - start + busRequest;
      counts.bytesOut += level.line();
      if (dirty) {
        counts.dirtyEvictions++;
      }
      if (next != null || dirty) {
        below.write(line, start, header, dirty);
      }
    }
    tag[way] = -1;
  }

  /// Removes a line; returns whether it was modified.
  boolean drop(long line) {
    int way = find(line);
    if (way < 0) {
      return false;
    }
    boolean dirty = (state[way] & DIRTY) != 0;
    tag[way] = -1;
    return dirty;
  }

  private int find(long line) {
    int base = (int) (line & setMask) * ways;
    for (int i = base; i < base + ways; i++) {
      if (tag[i] == line) {
        return i;
      }
    }
    return -1;
  }

  private void touch(int way) {
    switch (replacement) {
      case LRU -> stamp[way] = ++clock;
      case SRRIP -> stamp[way] = 0;
      case FIFO, RANDOM -> {}
    }
  }

  private int insert(long line, long time) {
    int base = (int) (line & setMask) * ways;
    int victim = victim(base);
    if (tag[victim] != -1) {
      evict(victim, time);
    }
    tag[victim] = line;
    state[victim] = 0;
    stamp[victim] = replacement == CacheLevel.Replacement.SRRIP ? 2 : ++clock;
    return victim;
  }

  private int victim(int base) {
    int best = base;
    for (int i = base; i < base + ways; i++) {
      if (tag[i] == -1) {
        return i;
      }
      if (stamp[i] < stamp[best]) {
        best = i;
      }
    }
    return switch (replacement) {
      case LRU, FIFO -> best;
      case RANDOM -> {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        yield base + (int) ((random >>> 33) % ways);
      }
      case SRRIP -> {
        while (true) {
          for (int i = base; i < base + ways; i++) {
            if (stamp[i] >= 3) {
              yield i;
            }
          }
          for (int i = base; i < base + ways; i++) {
            stamp[i]++;
          }
        }
      }
    };
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
    long stride = table.learn(pc, address);
    if (stride == 0) {
      return;
    }
    if (Math.abs(stride) < level.line()) {
      stride = stride < 0 ? -level.line() : level.line();
    }
    int served = servedBy;
    long at = time + period;
    for (int d = 1; d <= degree; d++) {
      long target = address + d * stride;
      if ((target ^ address) >>> PAGE_BITS != 0) {
        break;
      }
      long line = target >>> lineBits;
      if (find(line) >= 0 || flight(line) >= 0) {
        continue;
      }
      at = room(at, reserved);
      counts.prefetches++;
      send(line, at, at, false, 2 + number, pc, line << lineBits, PREFETCHED);
      at += period;
    }
    servedBy = served;
  }

  /// The first time from `time` on at which a prefetch finds a free miss register; two are kept for
  /// demand.
  private long room(long time, int reserved) {
    int limit = Math.max(1, mshr.length - 2 - reserved);
    while (true) {
      int inFlight = 0;
      long earliest = Long.MAX_VALUE;
      for (long release : mshr) {
        if (release > time) {
          inFlight++;
          earliest = Math.min(earliest, release);
        }
      }
      if (inFlight < limit) {
        return time;
      }
      time = earliest;
    }
  }

  /// Time that the answers to this cache held the crossbar below it.
  long responseBusy() {
    return responses.busy();
  }

  /// Time that its requests and evictions held the crossbar below it.
  long requestBusy() {
    return requests.busy();
  }
}
