package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.memory.Cycles;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.Predictor;
import io.spillway.simulator.system.Unit;
import java.util.Arrays;

/// An out-of-order core: fetch through a queue, rename onto finite structures, issue when operands
/// and units are ready, commit in order.
///
/// Every instruction gets the cycle of each stage from the instructions before it and from the
/// structures that it needs; nothing steps cycle by cycle. **Units:** core cycles, femtoseconds
/// towards the memory system.
///
/// **Source:** the stages and their delays follow gem5's O3CPU.
public final class OutOfOrderCore extends TimingCore {
  private static final int RING = 1 << 13;
  private static final int MASK = RING - 1;
  private static final int CHUNK_BITS = 4;
  private static final int CHUNKS = 1 << 10;

  /// Cycles from the resolution of a branch to the dispatch of what follows it.
  private static final int REFILL = 8;

  private final Core.OutOfOrder core;
  private final long period;
  private final Cycles clock;
  private final MemorySystem memory;
  private final CodeReader code;
  private final BranchUnit branches;
  private final CycleStack stack;
  private int waitLevel;
  private long waitMemory;
  private long waitRoom;
  private int frontCause = CycleStack.FETCH;
  private final int blockBits;

  // ---- functional units, one row per operation class
  private final int[] unitOf;
  private final int[] latency;
  private final int[] interval;
  private final Slots[] unitSlots;
  private final long[][] unitBusy;

  // ---- time of each stage, by instruction number
  private long number;
  private final long[] sentAt = new long[RING];
  private final long[] renamedAt = new long[RING];
  private final long[] committedAt = new long[RING];

  // ---- fetch
  private long block = -1;
  private long blockReady;
  private long fetchCycle;
  private int fetchedNow;
  private boolean fetchClosed;
  private long sendCycle;
  private int sentNow;

  // ---- rename and dispatch
  private long renameCycle;
  private int renamedNow;
  private long dispatchCycle;
  private int dispatchedNow;
  private long serialUntil;
  private final ReleaseHeap issueQueue;
  private final long[] loadFree;
  private final long[] storeFree;
  private int loadIndex;
  private int storeIndex;
  private int writtenIndex;
  private long storesGone;
  private long stores;
  private final long[] integerFree;
  private final long[] floatFree;
  private int integerIndex;
  private int floatIndex;

  // ---- issue, execute, write back
  private final Slots issueSlots;
  private final Slots writeBackSlots;
  private final Slots loadPorts;
  private final Slots storePorts;
  private final long[] valueAt = new long[64];

  // ---- commit
  private long commitCycle;
  private int committedNow;
  private long commitBlockedUntil;

  // ---- stores in flight, by store number
  private final int storeMask;
  private final long[] storeAddress;
  private final int[] storeBytes;
  private final long[] storeExecuted;
  private final long[] storeSent;
  private final long[] storeBefore;
  private final long[] chunkHead = new long[CHUNKS];
  private final long[] storePc;
  private long written;
  private long storeSendCycle;
  private final StoreSets sets;

  OutOfOrderCore(
      Core.OutOfOrder core,
      Predictor predictor,
      double fastHertz,
      MemorySystem memory,
      CodeReader code) {
    this.core = core;
    this.period = core.clock().period(fastHertz);
    this.clock = new Cycles(period);
    this.memory = memory;
    this.code = code;
    this.branches = new BranchUnit(predictor);
    this.stack = new CycleStack(memory.depth());
    stack.charge(1, 1, 0, 0, 0, 0);
    this.blockBits = Integer.numberOfTrailingZeros(core.fetchBuffer());
    int classes = OpClass.values().length;
    unitOf = new int[classes];
    latency = new int[classes];
    interval = new int[classes];
    Arrays.fill(unitOf, -1);
    unitSlots = new Slots[core.units().size()];
    unitBusy = new long[core.units().size()][];
    for (int u = 0; u < core.units().size(); u++) {
      Unit unit = core.units().get(u);
      unitSlots[u] = new Slots(unit.count());
      unitBusy[u] = new long[unit.count()];
      for (Unit.Operation op : unit.ops()) {
        for (OpClass c : op.classes()) {
          unitOf[c.ordinal()] = u;
          latency[c.ordinal()] = op.latency();
          interval[c.ordinal()] = op.interval();
        }
      }
    }
    int integer = OpClass.INTEGER_ALU.ordinal();
    for (int i = 0; i < classes; i++) {
      if (unitOf[i] < 0) {
        unitOf[i] = Math.max(0, unitOf[integer]);
        latency[i] = Math.max(1, latency[integer]);
        interval[i] = 1;
      }
    }
    issueQueue = new ReleaseHeap(core.issueQueue());
    loadFree = new long[core.loadQueue()];
    storeFree = new long[core.storeQueue()];
    integerFree = new long[core.integerRegisters() - 33];
    floatFree = new long[core.floatRegisters() - 32];
    issueSlots = new Slots(core.issueWidth());
    writeBackSlots = new Slots(core.writeBackWidth());
    loadPorts = new Slots(core.loadPorts());
    storePorts = new Slots(core.storePorts());
    int ring = Integer.highestOneBit(core.storeQueue()) << 2;
    storeMask = ring - 1;
    storeAddress = new long[ring];
    storeBytes = new int[ring];
    storePc = new long[ring];
    storeExecuted = new long[ring];
    storeSent = new long[ring];
    storeBefore = new long[ring];
    Arrays.fill(chunkHead, -1);
    sets = new StoreSets(core.storeSetEntries(), core.storeSetClear());
  }

  @Override
  public long cycles() {
    return commitCycle + 1;
  }

  @Override
  public BranchUnit branches() {
    return branches;
  }

  @Override
  public CycleStack stack() {
    return stack;
  }

  @Override
  public void retire(Instruction in, long pc, long next, boolean taken, long address) {
    OpClass c = in.opClass();
    boolean control = c.isControl();
    long before = commitCycle;
    waitMemory = 0;
    long lastFetch = fetchCycle;
    long fetched = fetch(pc, in.length());
    long frontWait =
        frontCause == CycleStack.BRANCH
            ? fetched - lastFetch + REFILL
            : blockReady == fetched ? fetched - lastFetch : 0;
    if (control) {
      branches.predict(in, pc, fetched);
    }
    long renamed = rename(in, c, fetched);
    long dispatched = dispatch(renamed);
    if (c.isMemory()) {
      writeStores(dispatched, stores - 1);
    }
    long ready = dispatched;
    ready = Math.max(ready, value(in.source1()));
    ready = Math.max(ready, value(in.source2()));
    ready = Math.max(ready, value(in.source3()));
    long done;
    long leavesQueue;
    if (c == OpClass.LOAD) {
      done = load(in, pc, address, ready);
      leavesQueue = done;
    } else if (c == OpClass.STORE) {
      done = store(in, pc, address, ready);
      leavesQueue = done;
    } else if (c == OpClass.ATOMIC) {
      done = atomic(in, pc, address, ready);
      leavesQueue = done;
    } else if (c == OpClass.SYSTEM || c == OpClass.FENCE) {
      writeStores(Long.MAX_VALUE, stores - 1);
      long drained = storesGone;
      long issued = issue(Math.max(ready, Math.max(commitCycle + 2, drained)), c.ordinal());
      done = writeBackSlots.first(issued + latency[c.ordinal()]);
      leavesQueue = issued;
    } else {
      int k = c.ordinal();
      long issued = issue(ready, k);
      done = writeBackSlots.first(issued + latency[k]);
      leavesQueue = issued;
    }
    issueQueue.add(leavesQueue + 1);
    int rd = in.destination();
    if (rd >= 0) {
      valueAt[rd] = done;
    }
    long committed = commit(done);
    committedAt[(int) number & MASK] = committed;
    stack.charge(committed - before, waitLevel, waitMemory, frontCause, frontWait, waitRoom);
    frontCause = CycleStack.FETCH;
    finish(in, c, rd, committed);
    if (control) {
      branch(in, pc, next, taken, fetched, done, committed);
    } else if (c == OpClass.SYSTEM) {
      serialUntil = committed + core.trapLatency();
      fetchFrom(committed + core.trapLatency() + core.commitToFetch());
    }
    number++;
  }

  private long value(int register) {
    return register < 0 ? 0 : valueAt[register];
  }

  // ---- fetch

  private long fetch(long pc, int length) {
    long first = pc >>> blockBits;
    long last = pc + length - 1 >>> blockBits;
    if (first != block) {
      open(first);
    }
    if (last != first) {
      fetchCycle = Math.max(fetchCycle, blockReady);
      open(last);
    }
    long at = Math.max(fetchCycle, blockReady);
    long queue = sentAt[(int) (number - core.fetchQueue()) & MASK] + 1;
    at = Math.max(at, queue);
    if (at == fetchCycle && (fetchClosed || fetchedNow >= core.fetchWidth())) {
      at++;
    }
    if (at > fetchCycle) {
      fetchCycle = at;
      fetchedNow = 0;
      fetchClosed = false;
    }
    fetchedNow++;
    return at;
  }

  /// Asks for a block in the cycle in which fetch reached it.
  private void open(long wanted) {
    block = wanted;
    blockReady = up(memory.fetch(wanted << blockBits, fetchCycle * period));
  }

  /// Lets fetch go on in `cycle` at the earliest.
  private void fetchFrom(long cycle) {
    fetchCycle = Math.max(fetchCycle, cycle);
    fetchedNow = 0;
    fetchClosed = false;
  }

  // ---- rename and dispatch

  private long rename(Instruction in, OpClass c, long fetched) {
    long sent = Math.max(fetched, sendCycle);
    int skid = 2 * core.decodeWidth();
    sent = Math.max(sent, renamedAt[(int) (number - skid) & MASK] - core.decodeToRename());
    if (sent == sendCycle && sentNow >= core.decodeWidth()) {
      sent++;
    }
    if (sent > sendCycle) {
      sendCycle = sent;
      sentNow = 0;
    }
    sentNow++;
    sentAt[(int) number & MASK] = sent;
    long at = sent + core.fetchToDecode() + core.decodeToRename();
    at = Math.max(at, renameCycle);
    at = Math.max(at, serialUntil);
    long wanted = at;
    at = Math.max(at, committedAt[(int) (number - core.rob()) & MASK] + 1);
    if (c == OpClass.LOAD) {
      at = Math.max(at, loadFree[loadIndex]);
    } else if (c == OpClass.STORE || c == OpClass.ATOMIC) {
      writeStores(Long.MAX_VALUE, stores - storeFree.length);
      at = Math.max(at, storeFree[storeIndex]);
    }
    int rd = in.destination();
    if (rd >= 32) {
      at = Math.max(at, floatFree[floatIndex]);
    } else if (rd >= 0) {
      at = Math.max(at, integerFree[integerIndex]);
    }
    at = issueQueue.room(at);
    waitRoom = at - wanted;
    if (at == renameCycle && renamedNow >= core.renameWidth()) {
      at++;
    }
    if (at > renameCycle) {
      renameCycle = at;
      renamedNow = 0;
    }
    renamedNow++;
    renamedAt[(int) number & MASK] = at;
    return at;
  }

  private long dispatch(long renamed) {
    long at = Math.max(renamed + core.renameToIssue(), dispatchCycle);
    if (at == dispatchCycle && dispatchedNow >= core.dispatchWidth()) {
      at++;
    }
    if (at > dispatchCycle) {
      dispatchCycle = at;
      dispatchedNow = 0;
    }
    dispatchedNow++;
    return at;
  }

  // ---- issue

  private long issue(long ready, int k) {
    Slots units = unitSlots[unitOf[k]];
    long at = ready;
    long[] busy = unitBusy[unitOf[k]];
    int free = 0;
    if (interval[k] > 1) {
      for (int i = 1; i < busy.length; i++) {
        if (busy[i] < busy[free]) {
          free = i;
        }
      }
      at = Math.max(at, busy[free]);
    }
    while (!issueSlots.isFree(at) || !units.isFree(at)) {
      at++;
    }
    issueSlots.take(at);
    units.take(at);
    if (interval[k] > 1) {
      busy[free] = at + interval[k];
    }
    return at;
  }

  // ---- memory

  private long load(Instruction in, long pc, long address, long ready) {
    int bytes = in.accessBytes();
    long waits = sets.waitsFor(pc);
    if (waits >= 0 && waits >= stores - storeMask) {
      ready = Math.max(ready, storeExecuted[(int) waits & storeMask]);
    }
    int k = OpClass.LOAD.ordinal();
    long executed = issue(ready, k) + latency[k];
    long s = conflict(address, bytes, executed);
    if (s >= 0 && storeExecuted[(int) s & storeMask] > executed) {
      executed = repeat(pc, s);
    }
    s = covering(address, bytes, executed);
    if (s >= 0) {
      int i = (int) s & storeMask;
      if (storeAddress[i] <= address && address + bytes <= storeAddress[i] + storeBytes[i]) {
        return writeBackSlots.first(Math.max(executed, storeExecuted[i]) + 1);
      }
      executed = storeSent[i] + 2;
    }
    while (!loadPorts.isFree(executed)) {
      executed += 2;
    }
    loadPorts.take(executed);
    long data = up(memory.load(address, bytes, executed * period, pc));
    waitLevel = memory.servedBy();
    waitMemory = data - executed;
    return writeBackSlots.first(data);
  }

  /// The youngest older store to the same chunks that a load executed in `cycle` would pass.
  private long conflict(long address, int bytes, long cycle) {
    long found = -1;
    long last = address + bytes - 1 >>> CHUNK_BITS;
    for (long chunk = address >>> CHUNK_BITS; chunk <= last; chunk++) {
      long s = chunkHead[(int) chunk & CHUNKS - 1];
      while (s > stores - storeFree.length && s >= 0) {
        int i = (int) s & storeMask;
        if (storeExecuted[i] > cycle
            && storeAddress[i] >>> CHUNK_BITS <= chunk
            && storeAddress[i] + storeBytes[i] - 1 >>> CHUNK_BITS >= chunk) {
          found = Math.max(found, s);
          break;
        }
        s = storeBefore[i];
      }
    }
    return found;
  }

  /// The youngest older store that overlaps and has not reached the cache by `cycle`.
  private long covering(long address, int bytes, long cycle) {
    long s = chunkHead[(int) (address >>> CHUNK_BITS) & CHUNKS - 1];
    while (s > stores - storeFree.length && s >= 0) {
      int i = (int) s & storeMask;
      if (storeAddress[i] < address + bytes
          && address < storeAddress[i] + storeBytes[i]
          && storeSent[i] > cycle) {
        return s;
      }
      s = storeBefore[i];
    }
    return -1;
  }

  /// A load passed an older store to its address: everything from the load on is fetched again.
  private long repeat(long pc, long s) {
    long found = storeExecuted[(int) s & storeMask];
    sets.violation(pc, s);
    long again = found + 2 + core.commitToFetch();
    fetchFrom(again);
    long dispatched = again + core.fetchToDecode() + core.decodeToRename() + core.renameToIssue();
    renameCycle = Math.max(renameCycle, dispatched - core.renameToIssue());
    dispatchCycle = Math.max(dispatchCycle, dispatched);
    return dispatched + 1;
  }

  private long store(Instruction in, long pc, long address, long ready) {
    long waits = sets.waitsFor(pc);
    if (waits >= 0 && waits >= stores - storeMask) {
      ready = Math.max(ready, storeExecuted[(int) waits & storeMask]);
    }
    int k = OpClass.STORE.ordinal();
    long executed = issue(ready, k) + latency[k];
    remember(pc, address, in.accessBytes(), executed);
    return writeBackSlots.first(executed);
  }

  private void remember(long pc, long address, int bytes, long executed) {
    int i = (int) stores & storeMask;
    storeAddress[i] = address;
    storeBytes[i] = bytes;
    storeExecuted[i] = executed;
    storePc[i] = pc;
    storeSent[i] = Long.MAX_VALUE;
    int head = (int) (address >>> CHUNK_BITS) & CHUNKS - 1;
    storeBefore[i] = chunkHead[head];
    chunkHead[head] = stores;
    sets.fetched(pc, stores);
  }

  private long atomic(Instruction in, long pc, long address, long ready) {
    int k = OpClass.ATOMIC.ordinal();
    long executed =
        issue(Math.max(ready, Math.max(commitCycle + 2, storeSendCycle)), k) + latency[k];
    long done = up(memory.store(address, in.accessBytes(), executed * period, pc));
    remember(pc, address, 0, executed);
    return writeBackSlots.first(done);
  }

  // ---- commit

  private long commit(long done) {
    long at = Math.max(done + 1 + core.executeToCommit(), commitCycle);
    at = Math.max(at, commitBlockedUntil);
    if (at == commitCycle && committedNow >= core.commitWidth()) {
      at++;
    }
    if (at > commitCycle) {
      commitCycle = at;
      committedNow = 0;
    }
    committedNow++;
    return at;
  }

  /// Frees at commit what the instruction held.
  private void finish(Instruction in, OpClass c, int rd, long committed) {
    if (rd >= 32) {
      floatFree[floatIndex] = committed + 1;
      floatIndex = floatIndex + 1 == floatFree.length ? 0 : floatIndex + 1;
    } else if (rd >= 0) {
      integerFree[integerIndex] = committed + 1;
      integerIndex = integerIndex + 1 == integerFree.length ? 0 : integerIndex + 1;
    }
    if (c == OpClass.LOAD) {
      loadFree[loadIndex] = committed + 3;
      loadIndex = loadIndex + 1 == loadFree.length ? 0 : loadIndex + 1;
    } else if (c == OpClass.STORE || c == OpClass.ATOMIC) {
      int i = (int) stores & storeMask;
      if (c == OpClass.STORE) {
        long send = storePorts.first(Math.max(committed + 2, storeSendCycle));
        storeSendCycle = send;
        storeSent[i] = send;
      } else {
        storeSent[i] = committed;
      }
      stores++;
      storeIndex = storeIndex + 1 == storeFree.length ? 0 : storeIndex + 1;
    }
  }

  /// Lets the cache take committed stores up to number `last` that were sent by `cycle`.
  ///
  /// Stores wait here because loads after them may reach the cache first: the memory side is to see
  /// accesses nearly in the order of their times.
  private void writeStores(long cycle, long last) {
    while (written <= last && written < stores) {
      int i = (int) written & storeMask;
      long send = storeSent[i];
      if (send > cycle) {
        return;
      }
      long gone =
          storeBytes[i] == 0
              ? send
              : up(memory.store(storeAddress[i], storeBytes[i], send * period, storePc[i]));
      storesGone = Math.max(storesGone, gone + 1);
      storeFree[writtenIndex] = storesGone;
      writtenIndex = writtenIndex + 1 == storeFree.length ? 0 : writtenIndex + 1;
      written++;
    }
  }

  // ---- branches

  private void branch(
      Instruction in,
      long pc,
      long next,
      boolean taken,
      long fetched,
      long executed,
      long committed) {
    boolean direct = in.opClass() != OpClass.INDIRECT_JUMP;
    long known = pc + in.imm();
    boolean always = in.opClass() == OpClass.JUMP;
    if (direct && (always || branches.taken) && (!branches.taken || branches.target != known)) {
      branches.redirect(pc, known);
      long decoded = sentAt[(int) number & MASK] + core.fetchToDecode();
      fetchFrom(decoded + 2);
      if (always) {
        branches.resolve(in, pc, true, next, false, true);
        branches.commit(committed + 1);
        return;
      }
    }
    boolean predicted = branches.taken;
    long target = predicted ? branches.target : pc + in.length();
    if (target == next) {
      branches.resolve(in, pc, taken, next, false, true);
      branches.commit(committed + 1);
      fetchClosed |= predicted;
      return;
    }
    long resumed = executed + 2 + core.commitToFetch();
    branches.enterWrongPath();
    int younger = follow(target, predicted, resumed - 1);
    branches.leaveWrongPath();
    branches.resolve(in, pc, taken, next, true, true);
    branches.commit(committed + 1);
    long squashed = executed + 1 + (younger + core.squashWidth() - 1) / core.squashWidth();
    commitBlockedUntil = Math.max(commitBlockedUntil, squashed);
    fetchCycle = resumed;
    fetchedNow = 0;
    fetchClosed = false;
    sendCycle = Math.min(sendCycle, resumed);
    renameCycle = Math.max(renameCycle, squashed + 1);
    renamedNow = 0;
    frontCause = CycleStack.BRANCH;
  }

  /// Fetches along a wrong path until `until`; returns how many instructions reached rename.
  private int follow(long pc, boolean jump, long until) {
    int limit = core.rob() + core.fetchQueue();
    int fetched = 0;
    int renamed = 0;
    fetchClosed |= jump;
    long fill = core.fetchToDecode() + core.decodeToRename();
    while (fetched < limit) {
      Instruction in = code.at(pc);
      if (in == null) {
        break;
      }
      if (fetched >= core.fetchQueue() + 2 * core.decodeWidth()
          && renamed + core.fetchQueue() < fetched) {
        break;
      }
      long at = wrongFetch(pc, in.length());
      if (at >= until) {
        break;
      }
      fetched++;
      if (at + fill < until) {
        renamed++;
      }
      long here = pc;
      pc += in.length();
      if (in.isControl()) {
        branches.predict(in, here, at);
        if (branches.taken) {
          pc = branches.target;
          fetchClosed = true;
        }
      }
    }
    return Math.min(renamed, core.rob() - 1);
  }

  private long wrongFetch(long pc, int length) {
    long first = pc >>> blockBits;
    if (first != block) {
      open(first);
    }
    long at = Math.max(fetchCycle, blockReady);
    if (at == fetchCycle && (fetchClosed || fetchedNow >= core.fetchWidth())) {
      at++;
    }
    if (at > fetchCycle) {
      fetchCycle = at;
      fetchedNow = 0;
      fetchClosed = false;
    }
    fetchedNow++;
    return at;
  }

  private long up(long tick) {
    return clock.ceil(tick);
  }
}
