package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.memory.Cycles;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.Predictor;
import org.jspecify.annotations.Nullable;

/// An out-of-order core: fetch through a queue, rename onto finite structures, issue when operands
/// and units are ready, commit in order.
///
/// Every instruction gets the cycle of each stage from the instructions before it and from the
/// structures that it needs; nothing steps cycle by cycle. **Units:** core cycles, femtoseconds
/// towards the memory system.
///
/// **Source:** the stages and their delays follow gem5's O3CPU.
public final class OutOfOrderCore extends TimingCore {
  /// Cycles from the resolution of a branch to the dispatch of what follows it.
  private static final int REFILL = 8;

  private final Core.OutOfOrder core;
  private final long period;
  private final Cycles clock;
  private final boolean sameClock;
  private int chosen;
  private final MemorySystem memory;
  private final BranchUnit branches;
  private final CycleStack stack;
  private int waitLevel;
  private long waitMemory;
  private long waitRoom;
  private int frontCause = CycleStack.FETCH;

  // ---- functional units by kind; null where the issue width is the tighter limit
  private final @Nullable Slots[] unitSlots;
  private final long[][] unitBusy;

  // ---- time of each stage, by instruction number
  private long number;
  private final int mask;
  private final long[] sentAt;
  private final long[] renamedAt;
  private final long[] committedAt;

  // ---- fetch
  private final FetchStage fetch;
  private final WrongPath wrongPath;
  private long sendCycle;
  private int sentNow;

  // ---- rename and dispatch
  private long renameCycle;
  private int renamedNow;
  private long dispatchCycle;
  private int dispatchedNow;
  private long serialUntil;

  /// How a long squash holds the front end up.
  private final FrontStall stall;

  private final ReleaseCalendar issueQueue;
  private final long[] loadFree;
  private final long[] storeFree;
  private int loadIndex;
  private int storeIndex;
  private int writtenIndex;
  private long storesGone;
  private final long[] integerFree;
  private final long[] floatFree;
  private int integerIndex;
  private int floatIndex;

  // ---- of a wrong path: what it borrows, and the entries that it holds
  private long savedSendCycle;
  private int savedSentNow;
  private long savedRenameCycle;
  private int savedRenamedNow;
  private int youngerLoads;
  private int youngerIntegers;
  private int youngerFloats;

  // ---- issue, execute, write back
  private final Slots issueSlots;
  private final Slots writeBackSlots;

  /// Null where there are as many as loads in flight.
  private final @Nullable Slots loadPorts;

  private final Slots storePorts;
  private final long[] valueAt = new long[TimedInstruction.REGISTERS];

  // ---- commit
  private long commitCycle;
  private int committedNow;
  private long commitBlockedUntil;

  // ---- stores on their way to the cache
  private final StoreWindow window;
  private long written;
  private long storeSendCycle;
  private final StoreSets sets;

  OutOfOrderCore(
      Core.OutOfOrder core,
      Predictor predictor,
      double fastHertz,
      MemorySystem memory,
      CodeReader code) {
    super(core.units(), code);
    this.core = core;
    this.period = core.clock().period(fastHertz);
    this.clock = new Cycles(period);
    this.sameClock = memory.dataPeriod() == period;
    this.memory = memory;
    this.branches = new BranchUnit(predictor);
    this.stack = new CycleStack(memory.depth());
    stack.charge(1, 1, 0, 0, 0, 0);
    // back to the oldest that is asked about, ahead to the end of a wrong path
    int reach = 2 * (core.rob() + core.fetchQueue() + core.decodeWidth()) + 1;
    mask = 2 * Integer.highestOneBit(reach) - 1;
    sentAt = new long[mask + 1];
    renamedAt = new long[mask + 1];
    committedAt = new long[mask + 1];
    fetch = new FetchStage(core, memory, period);
    stall = new FrontStall();
    unitSlots = new Slots[core.units().size()];
    unitBusy = new long[core.units().size()][];
    for (int u = 0; u < core.units().size(); u++) {
      int count = core.units().get(u).count();
      unitSlots[u] = count < core.issueWidth() ? new Slots(count) : null;
      unitBusy[u] = new long[count];
    }
    issueQueue = new ReleaseCalendar(core.issueQueue());
    loadFree = new long[core.loadQueue()];
    storeFree = new long[core.storeQueue()];
    integerFree = new long[core.integerRegisters() - 33];
    floatFree = new long[core.floatRegisters() - 32];
    issueSlots = new Slots(core.issueWidth());
    writeBackSlots = new Slots(core.writeBackWidth());
    loadPorts = core.loadPorts() < core.loadQueue() ? new Slots(core.loadPorts()) : null;
    storePorts = new Slots(core.storePorts());
    window = new StoreWindow(core.storeQueue());
    sets = new StoreSets(core.storeSetEntries(), core.storeSetClear());
    wrongPath = new WrongPath(this, core, period, fetch, memory, branches, this.code, window);
  }

  /// Takes the values of wrong paths from this hart from now on.
  void follow(Hart hart, Machine machine) {
    if (core.wrongPathLoads()) {
      wrongPath.of(hart, machine);
    }
  }

  @Override
  void idleUntil(long cycle) {
    if (cycle > commitCycle) {
      stack.charge(cycle - commitCycle, 1, 0, 0, 0, 0);
      commitCycle = cycle;
      fetch.notBefore(cycle);
    }
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
  void retire(TimedInstruction t, long pc, long next, boolean taken, long address) {
    long before = commitCycle;
    waitMemory = 0;
    long lastFetch = fetch.cycle();
    long fetched = fetch.next(pc, t.length, fetchRoom(-1));
    long frontWait =
        frontCause == CycleStack.BRANCH
            ? fetched - lastFetch + REFILL
            : fetch.waitedForBlock(fetched) ? fetched - lastFetch : 0;
    if (t.control) {
      branches.predict(t.in, pc, fetched);
    }
    long dispatched = dispatch(rename(t, fetched));
    if (t.memory && written < window.count) {
      writeStores(dispatched, window.count - 1);
    }
    long ready = Math.max(dispatched, valueAt[t.source1]);
    ready = Math.max(ready, Math.max(valueAt[t.source2], valueAt[t.source3]));
    long leavesQueue =
        switch (t.kind) {
          case PLAIN, CONTROL -> issue(ready, t);
          case LOAD -> load(t, pc, address, ready);
          case STORE -> store(t, pc, address, ready);
          case ATOMIC -> atomic(t, pc, address, ready);
          case SYSTEM, FENCE -> {
            writeStores(Long.MAX_VALUE, window.count - 1);
            yield issue(Math.max(ready, Math.max(commitCycle + 2, storesGone)), t);
          }
        };
    long done = t.memory ? leavesQueue : writeBackSlots.first(leavesQueue + t.latency);
    issueQueue.add(leavesQueue + 1);
    valueAt[t.destination] = done;
    long committed = commit(done);
    committedAt[(int) number & mask] = committed;
    if (committed != before) {
      stack.charge(committed - before, waitLevel, waitMemory, frontCause, frontWait, waitRoom);
    }
    frontCause = CycleStack.FETCH;
    finish(t, committed);
    if (t.control) {
      branch(t, pc, next, taken, fetched, done, committed);
    } else if (t.kind == TimedInstruction.Kind.SYSTEM) {
      serialUntil = committed + core.trapLatency();
      fetch.notBefore(committed + core.trapLatency() + core.commitToFetch());
    }
    number++;
  }

  // ---- rename and dispatch

  private long rename(TimedInstruction t, long fetched) {
    long at = send(number, fetched);
    at = Math.max(at, renameCycle);
    at = Math.max(at, serialUntil);
    long wanted = at;
    at = Math.max(at, committedAt[(int) (number - core.rob()) & mask] + 1);
    if (t.memory) {
      if (t.kind == TimedInstruction.Kind.LOAD) {
        at = Math.max(at, loadFree[loadIndex]);
      } else {
        writeStores(Long.MAX_VALUE, window.count - storeFree.length);
        at = Math.max(at, storeFree[storeIndex]);
      }
    }
    int rd = t.destination;
    if (rd < 32) {
      at = Math.max(at, integerFree[integerIndex]);
    } else if (rd < TimedInstruction.NO_SOURCE) {
      at = Math.max(at, floatFree[floatIndex]);
    }
    at = issueQueue.room(at);
    waitRoom = at - wanted;
    return renameIn(number, at);
  }

  /// When the fetch queue has room for the instruction `younger` places behind the next one.
  long fetchRoom(int younger) {
    return sentAt[(int) (number + 1 + younger - core.fetchQueue()) & mask] + 1;
  }

  /// When the instruction `younger` places behind the next one left the fetch queue.
  long sent(int younger) {
    return sentAt[(int) (number + 1 + younger) & mask];
  }

  /// Begins a wrong path: rename goes on from where it is until [#leaveWrongPath].
  void enterWrongPath() {
    savedSendCycle = sendCycle;
    savedSentNow = sentNow;
    savedRenameCycle = renameCycle;
    savedRenamedNow = renamedNow;
    youngerLoads = 0;
    youngerIntegers = 0;
    youngerFloats = 0;
    issueQueue.drop(renameCycle);
  }

  void leaveWrongPath() {
    sendCycle = savedSendCycle;
    sentNow = savedSentNow;
    renameCycle = savedRenameCycle;
    renamedNow = savedRenamedNow;
  }

  /// Renames the instruction `younger` places behind the next one on a wrong path.
  long renameYounger(TimedInstruction t, int younger, long fetched) {
    long n = number + 1 + younger;
    long at = send(n, fetched);
    at = Math.max(at, Math.max(renameCycle, serialUntil));
    if (younger < core.rob()) {
      at = Math.max(at, committedAt[(int) (n - core.rob()) & mask] + 1);
    }
    if (t.kind == TimedInstruction.Kind.LOAD && youngerLoads < loadFree.length) {
      at = Math.max(at, ahead(loadFree, loadIndex + youngerLoads++));
    }
    int rd = t.destination;
    if (rd < 32 && youngerIntegers < integerFree.length) {
      at = Math.max(at, ahead(integerFree, integerIndex + youngerIntegers++));
    } else if (rd >= 32 && rd < TimedInstruction.NO_SOURCE && youngerFloats < floatFree.length) {
      at = Math.max(at, ahead(floatFree, floatIndex + youngerFloats++));
    }
    // of those renamed before it, at most half are taken to wait still
    at = issueQueue.roomBeside(Math.min(younger, core.issueQueue() / 2), at);
    return renameIn(n, at);
  }

  private static long ahead(long[] free, int index) {
    return free[index < free.length ? index : index - free.length];
  }

  /// Sends an instruction from the fetch queue to decode; returns when rename may take it.
  private long send(long n, long fetched) {
    long sent = Math.max(fetched, sendCycle);
    int skid = 2 * core.decodeWidth();
    sent = Math.max(sent, renamedAt[(int) (n - skid) & mask] - core.decodeToRename());
    if (sent == sendCycle && sentNow >= core.decodeWidth()) {
      sent++;
    }
    if (sent < stall.until) {
      sent = stall.send(sent);
    }
    if (sent > sendCycle) {
      sendCycle = sent;
      sentNow = 0;
    }
    sentNow++;
    sentAt[(int) n & mask] = sent;
    long renamed = sent + core.fetchToDecode() + core.decodeToRename();
    return sent < stall.until ? stall.rename(sent, renamed) : renamed;
  }

  private long renameIn(long n, long earliest) {
    long at = earliest;
    if (at == renameCycle && renamedNow >= core.renameWidth()) {
      at++;
    }
    if (at > renameCycle) {
      renameCycle = at;
      renamedNow = 0;
    }
    renamedNow++;
    renamedAt[(int) n & mask] = at;
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

  private long issue(long ready, TimedInstruction t) {
    Slots kind = unitSlots[t.unit];
    long at = ready;
    if (t.interval > 1) {
      at = Math.max(at, occupy(t, ready));
    }
    at = issueSlots.free(at);
    if (kind != null) {
      for (long unit = kind.free(at); unit != at; unit = kind.free(at)) {
        at = issueSlots.free(unit);
      }
      kind.take(at);
    }
    issueSlots.take(at);
    if (t.interval > 1) {
      unitBusy[t.unit][chosen] = at + t.interval;
    }
    return at;
  }

  /// Chooses the unit that is free first among those that do not take an operation every cycle;
  /// returns when that is.
  private long occupy(TimedInstruction t, long ready) {
    long[] busy = unitBusy[t.unit];
    int free = 0;
    for (int i = 1; i < busy.length; i++) {
      if (busy[i] < busy[free]) {
        free = i;
      }
    }
    chosen = free;
    return busy[free];
  }

  // ---- memory

  private long load(TimedInstruction t, long pc, long address, long ready) {
    int bytes = t.bytes;
    long waits = sets.waitsFor(pc);
    if (window.holds(waits)) {
      ready = Math.max(ready, window.executed(waits));
    }
    long executed = issue(ready, t) + t.latency;
    long s = window.conflict(address, bytes, executed);
    if (s >= 0 && window.executed(s) > executed) {
      executed = repeat(pc, s);
    }
    s = window.overlapping(address, bytes, executed);
    if (s >= 0) {
      if (window.covers(s, address, bytes)) {
        return writeBackSlots.first(Math.max(executed, window.executed(s)) + 1);
      }
      executed = window.sent(s) + 2;
    }
    if (loadPorts != null) {
      while (loadPorts.free(executed) != executed) {
        executed += 2;
      }
      loadPorts.take(executed);
    }
    long time = executed * period;
    int hit = sameClock ? memory.hit(address, bytes, time, false) : -1;
    if (hit >= 0) {
      waitLevel = 1;
      waitMemory = hit;
      return writeBackSlots.first(executed + hit);
    }
    long data = up(memory.load(address, bytes, time, pc));
    waitLevel = memory.servedBy();
    waitMemory = data - executed;
    return writeBackSlots.first(data);
  }

  /// A load passed an older store to its address: everything from the load on is fetched again.
  private long repeat(long pc, long s) {
    long found = window.executed(s);
    sets.violation(pc, s);
    long again = found + 2 + core.commitToFetch();
    fetch.notBefore(again);
    long dispatched = again + core.fetchToDecode() + core.decodeToRename() + core.renameToIssue();
    renameCycle = Math.max(renameCycle, dispatched - core.renameToIssue());
    dispatchCycle = Math.max(dispatchCycle, dispatched);
    return dispatched + 1;
  }

  private long store(TimedInstruction t, long pc, long address, long ready) {
    long waits = sets.waitsFor(pc);
    if (window.holds(waits)) {
      ready = Math.max(ready, window.executed(waits));
    }
    long executed = issue(ready, t) + t.latency;
    window.remember(pc, address, t.bytes, executed);
    sets.fetched(pc, window.count);
    return writeBackSlots.first(executed);
  }

  private long atomic(TimedInstruction t, long pc, long address, long ready) {
    long executed =
        issue(Math.max(ready, Math.max(commitCycle + 2, storeSendCycle)), t) + t.latency;
    long done = up(memory.store(address, t.bytes, executed * period, pc));
    window.remember(pc, address, 0, executed);
    sets.fetched(pc, window.count);
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
  private void finish(TimedInstruction t, long committed) {
    int rd = t.destination;
    if (rd < 32) {
      integerFree[integerIndex] = committed + 1;
      integerIndex = integerIndex + 1 == integerFree.length ? 0 : integerIndex + 1;
    } else if (rd < TimedInstruction.NO_SOURCE) {
      floatFree[floatIndex] = committed + 1;
      floatIndex = floatIndex + 1 == floatFree.length ? 0 : floatIndex + 1;
    }
    if (!t.memory) {
      return;
    }
    if (t.kind == TimedInstruction.Kind.LOAD) {
      loadFree[loadIndex] = committed + 3;
      loadIndex = loadIndex + 1 == loadFree.length ? 0 : loadIndex + 1;
      return;
    }
    if (t.kind == TimedInstruction.Kind.STORE) {
      storeSendCycle = storePorts.first(Math.max(committed + 2, storeSendCycle));
      window.commit(storeSendCycle);
    } else {
      window.commit(committed);
    }
    storeIndex = storeIndex + 1 == storeFree.length ? 0 : storeIndex + 1;
  }

  /// Lets the cache take committed stores up to number `last` that were sent by `cycle`.
  ///
  /// Stores wait here because loads after them may reach the cache first: the memory side is to see
  /// accesses nearly in the order of their times.
  private void writeStores(long cycle, long last) {
    while (written <= last && written < window.count) {
      long send = window.sent(written);
      if (send > cycle) {
        return;
      }
      storesGone = Math.max(storesGone, write(written, send) + 1);
      storeFree[writtenIndex] = storesGone;
      writtenIndex = writtenIndex + 1 == storeFree.length ? 0 : writtenIndex + 1;
      written++;
    }
  }

  /// Gives one store to the cache; returns the cycle at which it has it.
  private long write(long s, long send) {
    int bytes = window.bytes(s);
    if (bytes == 0) {
      return send;
    }
    long time = send * period;
    int hit = sameClock ? memory.hit(window.address(s), bytes, time, true) : -1;
    return hit >= 0 ? send + hit : up(memory.store(window.address(s), bytes, time, window.pc(s)));
  }

  // ---- branches

  private void branch(
      TimedInstruction t,
      long pc,
      long next,
      boolean taken,
      long fetched,
      long executed,
      long committed) {
    Instruction in = t.in;
    boolean direct = in.opClass() != OpClass.INDIRECT_JUMP;
    long known = pc + in.imm();
    boolean always = in.opClass() == OpClass.JUMP;
    if (direct
        && (always || branches.taken())
        && (!branches.taken() || branches.target() != known)) {
      long decoded = sentAt[(int) number & mask] + core.fetchToDecode();
      wrongPath.untilDecoded(
          t,
          pc,
          branches.taken() ? branches.target() : pc + in.length(),
          branches.taken(),
          decoded + 1);
      branches.redirect(pc, known);
      fetch.moveTo(decoded + 2);
      if (always) {
        branches.resolve(in, pc, true, next, false, true);
        branches.commit(committed + 1);
        return;
      }
    }
    boolean predicted = branches.taken();
    long target = predicted ? branches.target() : pc + in.length();
    if (target == next) {
      branches.resolve(in, pc, taken, next, false, true);
      branches.commit(committed + 1);
      if (predicted) {
        fetch.close();
      }
      return;
    }
    long resumed = executed + 2 + core.commitToFetch();
    int younger = wrongPath.untilResolved(t, pc, target, predicted, executed, valueAt);
    branches.resolve(in, pc, taken, next, true, true);
    branches.commit(committed + 1);
    int squashing = Math.max(1, (younger + core.squashWidth() - 1) / core.squashWidth());
    commitBlockedUntil = Math.max(commitBlockedUntil, executed + 1 + squashing);
    fetch.moveTo(resumed);
    sendCycle = Math.min(sendCycle, resumed);
    stall.squash(executed, squashing);
    frontCause = CycleStack.BRANCH;
  }

  private long up(long tick) {
    return clock.ceil(tick);
  }
}
