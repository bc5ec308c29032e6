package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Memory;
import io.spillway.simulator.memory.Cycles;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.Predictor;
import org.jspecify.annotations.Nullable;

/// An in-order core: two fetch stages, decode, issue to functional units, memory and commit in
/// program order.
///
/// Every instruction gets the cycles at which it leaves fetch, issues and commits from the cycles
/// of those before it; nothing steps cycle by cycle. **Units:** core cycles, femtoseconds towards
/// the memory system.
///
/// **Source:** the stages and their rules follow gem5's MinorCPU.
public final class InOrderCore extends TimingCore {
  private static final int GROUPS = 1 << 10;
  private static final int LINE_BITS = 6;
  private static final int PAGE_LINES = 63;

  /// Groups of a wrong path that find room behind the branch.
  private static final int WRONG_GROUPS = 3;

  private static final long NEVER = Long.MAX_VALUE / 4;

  private final Core.InOrder core;
  private final long period;
  private final Cycles clock;
  private final boolean sameClock;
  private final boolean sameFetchClock;
  private final MemorySystem memory;
  private final BranchUnit branches;
  private final CycleStack stack;
  private int waitLevel;
  private long waitMemory;
  private long waitRoom;
  private int frontCause = CycleStack.FETCH;
  private long frontWait;

  private final UnitPipelines pipelines;

  // ---- fetch: the line being read, the next sequential one
  private long line = -1;
  private long lineDone;
  private long fetchable;
  private final long[] pops;
  private int popIndex;

  // ---- groups that left the second fetch stage together
  private long fetchCycle;
  private int fetchedNow;
  private final long[] groupPop = new long[GROUPS];
  private final int groupLimit;
  private final int runsDry;
  private final int issueDelay;
  private long group = GROUPS;

  // ---- issue
  private long issueCycle;
  private int issuedNow;
  private int memoryIssuedNow;
  private boolean issueClosed;
  private final long[] returnCycle = new long[TimedInstruction.REGISTERS];
  private final long[] commitOf = new long[TimedInstruction.REGISTERS];
  private final long[] useOf = new long[TimedInstruction.REGISTERS];

  // ---- commit
  private long commitCycle;
  private int committedNow;
  private int memoryCommittedNow;

  // ---- wrong paths
  private final IssueAhead ahead;
  private @Nullable Hart hart;
  private @Nullable Memory data;

  /// When the last load of a wrong path is out of the way.
  private long discarded;

  // ---- memory
  private final long[] slots;
  private long requestFree;
  private long lastStore;
  private long answer;
  private final long[] transferCommit;
  private int transfer;
  private final int storeMask;
  private final long[] storeReady;
  private final long[] storeAddress;
  private final int[] storeBytes;
  private final long[] storePc;
  private final long[] storeGone;
  private long storesGone;
  private int storeHead;
  private int storeTail;
  private long storeCycle;
  private int storesNow;

  public InOrderCore(
      Core.InOrder core,
      Predictor predictor,
      double fastHertz,
      MemorySystem memory,
      CodeReader code) {
    super(core.units(), code);
    this.core = core;
    this.period = core.clock().period(fastHertz);
    this.clock = new Cycles(period);
    this.sameClock = memory.dataPeriod() == period;
    this.sameFetchClock = memory.fetchPeriod() == period;
    this.memory = memory;
    this.branches = new BranchUnit(predictor);
    this.stack = new CycleStack(memory.depth());
    stack.charge(1, 1, 0, 0, 0, 0);
    pipelines = new UnitPipelines(units.units);
    ahead = new IssueAhead(this, core.issueWidth());
    issueDelay = core.fetchToDecode() + core.decodeToExecute();
    groupLimit = core.decodeBuffer() + core.executeBuffer();
    runsDry = groupLimit;
    pops = new long[core.lineBuffers()];
    slots = new long[core.accesses()];
    transferCommit = new long[core.transfers()];
    int stores = Integer.highestOneBit(core.storeBuffer()) << 2;
    storeMask = stores - 1;
    storeReady = new long[stores];
    storeAddress = new long[stores];
    storeBytes = new int[stores];
    storePc = new long[stores];
    storeGone = new long[stores];
  }

  /// Takes the registers of wrong paths from this hart from now on.
  void follow(Hart running, Machine machine) {
    hart = running;
    data = machine.memory();
  }

  @Override
  void idleUntil(long cycle) {
    if (cycle > commitCycle) {
      stack.charge(cycle - commitCycle, 1, 0, 0, 0, 0);
      commitCycle = cycle;
      issueCycle = cycle;
      fetchCycle = cycle;
      lineDone = Math.max(lineDone, cycle);
      fetchable = Math.max(fetchable, cycle);
    }
  }

  @Override
  public long cycles() {
    return commitCycle + 1;
  }

  @Override
  public CycleStack stack() {
    return stack;
  }

  @Override
  public BranchUnit branches() {
    return branches;
  }

  @Override
  void retire(TimedInstruction t, long pc, long next, boolean taken, long address) {
    long before = commitCycle;
    waitMemory = 0;
    waitRoom = 0;
    long lastFetch = fetchCycle;
    long fetched = fetch(pc, t.length);
    frontWait = fetchable > lastFetch ? Math.max(0, fetched - lastFetch - 1) : 0;
    if (t.control) {
      branches.predict(t.in, pc, fetched);
    }
    long issued = issue(t, fetched);
    long end = pipelines.enter(t, issued);
    long committed;
    if (t.memory) {
      committed = access(t, pc, address, end);
    } else {
      committed = commit(end, false);
      pipelines.leave(committed);
    }
    if (frontCause == CycleStack.BRANCH) {
      frontWait = Math.max(frontWait, discarded - before);
    }
    if (committed != before) {
      stack.charge(committed - before, waitLevel, waitMemory, frontCause, frontWait, waitRoom);
    }
    frontCause = CycleStack.FETCH;
    int rd = t.destination;
    boolean unpredictable = t.memory && t.assumed == 0;
    returnCycle[rd] = unpredictable ? Long.MAX_VALUE / 2 : issued + t.latency + t.assumed;
    commitOf[rd] = committed;
    useOf[rd] = committedNow == core.commitWidth() ? committed + 1 : committed;
    if (t.control) {
      branch(t, pc, next, taken, fetched, committed);
    } else if (t.kind == TimedInstruction.Kind.SYSTEM) {
      restart(committed + core.branchDelay(), next);
    }
  }

  // ---- fetch

  /// The cycle at which the second fetch stage hands the instruction on.
  private long fetch(long pc, int length) {
    long wanted = pc + length - 1 >>> LINE_BITS;
    if (line < 0) {
      open(pc >>> LINE_BITS, 0);
    }
    while (line != wanted) {
      pops[popIndex] = fetchCycle;
      popIndex = popIndex + 1 == pops.length ? 0 : popIndex + 1;
      open(line < wanted ? line + 1 : wanted, Math.max(lineDone + 1, pops[popIndex]));
    }
    long at = Math.max(fetchCycle, fetchable);
    if (at == fetchCycle && fetchedNow >= core.width()) {
      at++;
    }
    if (at > fetchCycle) {
      group++;
      fetchedNow = 0;
      at = Math.max(at, groupPop[(int) (group - groupLimit) & GROUPS - 1]);
      fetchCycle = at;
    }
    fetchedNow++;
    return at;
  }

  private void open(long wanted, long start) {
    line = wanted;
    lineDone = read(wanted, start);
    fetchable = lineDone + core.fetchForward();
  }

  /// Reads a line of instructions in cycle `start`; returns the cycle in which it is there.
  private long read(long wanted, long start) {
    int hit = sameFetchClock ? memory.fetchHit(wanted << LINE_BITS, start * period) : -1;
    return hit >= 0 ? start + hit : up(memory.fetch(wanted << LINE_BITS, start * period));
  }

  /// Turns fetch to another address; lines on the way are waited for and thrown away.
  ///
  /// @param cycle when the first fetch stage learns of it
  /// @param popped when the current line leaves its buffer
  private void redirect(long cycle, long address, long popped) {
    long busy = lineDone + 1;
    long start = busy;
    long sequential = line;
    for (int k = 1; ; k++) {
      start = Math.max(start, k >= pops.length ? popped : 0);
      sequential++;
      if (start >= cycle || (sequential & PAGE_LINES) == 0) {
        break;
      }
      busy = read(sequential, start) + 1;
      start = busy;
    }
    for (int i = 0; i < pops.length; i++) {
      pops[i] = 0;
    }
    open(address >>> LINE_BITS, Math.max(cycle, busy));
    fetchedNow = core.width();
  }

  /// Starts again after something that fetch did not foresee.
  private void restart(long cycle, long address) {
    redirect(cycle, address, NEVER);
  }

  private void branch(
      TimedInstruction t, long pc, long next, boolean taken, long fetched, long committed) {
    Instruction in = t.in;
    boolean predicted = branches.taken();
    long target = predicted ? branches.target() : pc + in.length();
    boolean wrong = target != next;
    long resolved = committed + core.branchDelay();
    if (!wrong) {
      branches.resolve(in, pc, taken, next, false, false);
      branches.commit(resolved);
      if (predicted) {
        redirect(fetched + core.fetchBackward(), target, fetched);
      }
      return;
    }
    branches.enterWrongPath();
    ahead.begin(issueCycle, issuedNow, committed);
    wrongPath(code.after(t, pc, target), predicted, target, fetched, resolved);
    branches.leaveWrongPath();
    branches.resolve(in, pc, taken, next, true, false);
    branches.commit(resolved);
    restart(resolved, next);
    frontCause = CycleStack.BRANCH;
  }

  /// Fetches along the wrong path until the branch resolves, for the lines that are then on their
  /// way.
  private void wrongPath(
      @Nullable TimedInstruction t, boolean jump, long target, long fetched, long resolved) {
    long group0 = group;
    long at = fetched;
    long pc = target;
    boolean redirected = jump;
    while (at < resolved && t != null) {
      if (redirected) {
        redirect(at + core.fetchBackward(), pc, at);
        redirected = false;
      }
      at = fetch(pc, t.length);
      ahead.issue(t, pc, at + issueDelay);
      groupPop[(int) group & GROUPS - 1] =
          group - group0 <= WRONG_GROUPS ? at + issueDelay : resolved;
      long here = pc;
      pc += t.length;
      if (at < resolved && t.control) {
        branches.predict(t.in, here, at);
        if (branches.taken()) {
          pc = branches.target();
          redirected = true;
        }
      }
      t = code.after(t, here, pc);
    }
    if (redirected && at < resolved && t != null) {
      redirect(at + core.fetchBackward(), pc, at);
    }
    fetchCycle = Math.min(fetchCycle, resolved);
    for (long g = group0 + 1; g <= group; g++) {
      groupPop[(int) g & GROUPS - 1] = Math.min(groupPop[(int) g & GROUPS - 1], resolved);
    }
  }

  /// Sends a load of a wrong path to memory if it can go before `end`. Nothing of the right path
  /// commits until it has answered.
  void sendAhead(TimedInstruction t, long pc, long earliest, long end) {
    if (hart == null || data == null) {
      return;
    }
    long at = Math.max(Math.max(earliest, requestFree), useOf[t.source1]);
    long address = hart.x[t.in.rs1()] + t.in.imm();
    if (Math.max(at, slots[freeSlot()]) >= end
        || transferCommit[transfer] > at
        || (data.permission(address) & Memory.READ) == 0) {
      return;
    }
    requestFree = load(t.bytes, address, pc, at, false);
    transferCommit[transfer] = answer;
    transfer = transfer + 1 == transferCommit.length ? 0 : transfer + 1;
    discarded = Math.max(discarded, answer);
  }

  // ---- issue and commit

  private long issue(TimedInstruction t, long fetched) {
    int lead = t.lead;
    long at = Math.max(fetched + issueDelay, issueCycle);
    at = Math.max(at, ready(t.source1, lead));
    at = Math.max(at, ready(t.source2, lead));
    at = Math.max(at, ready(t.source3, lead));
    if (at == issueCycle && (issuedNow >= core.issueWidth() || issueClosed)) {
      at++;
    }
    at = pipelines.choose(t, at);
    if (at > issueCycle) {
      issueCycle = at;
      issuedNow = 0;
      memoryIssuedNow = 0;
      issueClosed = false;
    }
    issuedNow++;
    if (t.memory && ++memoryIssuedNow >= core.memoryIssueWidth()) {
      issueClosed = true;
    }
    groupPop[(int) group & GROUPS - 1] = at;
    return at;
  }

  /// When a source register may be read by what looks `early` cycles ahead.
  long ready(int register, int early) {
    return Math.min(returnCycle[register] - early, commitOf[register]);
  }

  private long commit(long end, boolean isMemory) {
    long at = Math.max(Math.max(end, commitCycle), discarded);
    if (at == commitCycle
        && (committedNow >= core.commitWidth()
            || (isMemory && memoryCommittedNow >= core.memoryCommitWidth()))) {
      at++;
    }
    if (at > commitCycle) {
      commitCycle = at;
      committedNow = 0;
      memoryCommittedNow = 0;
    }
    committedNow++;
    if (isMemory) {
      memoryCommittedNow++;
    }
    return at;
  }

  // ---- memory

  private long access(TimedInstruction t, long pc, long address, long end) {
    long at = Math.max(end, requestFree);
    at = Math.max(at, useOf[t.source1]);
    at = Math.max(at, useOf[t.source2]);
    pipelines.leave(at);
    long oldest = transferCommit[transfer];
    if (oldest > at) {
      at = oldest + 1;
    }
    long done;
    if (t.kind == TimedInstruction.Kind.STORE) {
      long room = storeRoom(at);
      waitRoom = room - at;
      done = commit(Math.max(at, room), true);
      enqueue(address, t.bytes, pc, done + 1);
      lastStore = done;
    } else {
      if (lastStore > at) {
        at = lastStore + 1;
      }
      boolean atomic = t.kind == TimedInstruction.Kind.ATOMIC;
      if (atomic) {
        at = Math.max(at, commitCycle);
        at = Math.max(at, drain());
      }
      at = load(t.bytes, address, pc, at, atomic);
      done = commit(answer, true);
    }
    requestFree = at;
    transferCommit[transfer] = done;
    transfer = transfer + 1 == transferCommit.length ? 0 : transfer + 1;
    return done;
  }

  /// Sends a load at `at` or later, sets `answer` to the cycle of its data and returns the cycle of
  /// the sending.
  private long load(int bytes, long address, long pc, long at, boolean write) {
    sendStores(at);
    int oldest =
        storeHead == storeTail && storesGone <= at
            ? storeTail
            : Math.max(0, storeTail - core.storeBuffer());
    for (int i = storeTail - 1; i >= oldest; i--) {
      int s = i & storeMask;
      if (i < storeHead && storeGone[s] <= at) {
        continue;
      }
      if (storeAddress[s] < address + bytes && address < storeAddress[s] + storeBytes[s]) {
        if (storeAddress[s] <= address
            && address + bytes <= storeAddress[s] + storeBytes[s]
            && !write) {
          answer = at;
          return at;
        }
        sendStores(Long.MAX_VALUE / 2, i);
        at = Math.max(at, storeGone[s] + 1);
        break;
      }
    }
    int slot = freeSlot();
    at = Math.max(at, slots[slot]);
    long time = at * period;
    int hit = sameClock ? memory.hit(address, bytes, time, write) : -1;
    if (hit >= 0) {
      answer = at + hit;
      waitLevel = 1;
    } else {
      answer =
          up(
              write
                  ? memory.store(address, bytes, time, pc)
                  : memory.load(address, bytes, time, pc));
      waitLevel = memory.servedBy();
    }
    if (core.idles() && answer - at > runsDry) {
      answer++;
    }
    slots[slot] = answer;
    waitMemory = answer - at;
    return at;
  }

  private int freeSlot() {
    int slot = 0;
    for (int i = 1; i < slots.length; i++) {
      if (slots[i] < slots[slot]) {
        slot = i;
      }
    }
    return slot;
  }

  /// The first cycle from `at` on at which the store buffer takes another store.
  private long storeRoom(long at) {
    int oldest = storeTail - core.storeBuffer();
    if (oldest < 0) {
      return at;
    }
    sendStores(Long.MAX_VALUE / 2, oldest);
    return Math.max(at, storeGone[oldest & storeMask]);
  }

  private void enqueue(long address, int bytes, long pc, long ready) {
    int s = storeTail++ & storeMask;
    storeAddress[s] = address;
    storeBytes[s] = bytes;
    storePc[s] = pc;
    storeReady[s] = ready;
    if (storeTail == 1 << 30) {
      sendStores(Long.MAX_VALUE / 2, storeTail - 1);
      int shift = storeTail & ~storeMask;
      storeTail -= shift - storeMask - 1;
      storeHead = storeTail;
    }
  }

  private void sendStores(long until) {
    sendStores(until, storeTail - 1);
  }

  /// Sends waiting stores in order, up to index `last`, that can go by cycle `until`.
  private void sendStores(long until, int last) {
    while (storeHead <= last && storeHead < storeTail) {
      int s = storeHead & storeMask;
      int slot = freeSlot();
      long at = Math.max(Math.max(storeReady[s], slots[slot]), storeCycle);
      if (at == storeCycle && storesNow >= core.storesPerCycle()) {
        at++;
      }
      if (at > until) {
        return;
      }
      if (at > storeCycle) {
        storeCycle = at;
        storesNow = 0;
      }
      storesNow++;
      storeGone[s] = write(s, at);
      storesGone = Math.max(storesGone, storeGone[s]);
      slots[slot] = storeGone[s];
      storeHead++;
    }
  }

  /// Gives one store to the cache; returns the cycle at which it has it.
  private long write(int s, long at) {
    long time = at * period;
    int hit = sameClock ? memory.hit(storeAddress[s], storeBytes[s], time, true) : -1;
    return hit >= 0 ? at + hit : up(memory.store(storeAddress[s], storeBytes[s], time, storePc[s]));
  }

  /// Sends all stores and returns the cycle at which the last is gone.
  private long drain() {
    sendStores(Long.MAX_VALUE / 2);
    long last = 0;
    for (int i = storeTail - 1; i >= 0 && i >= storeTail - core.storeBuffer(); i--) {
      last = Math.max(last, storeGone[i & storeMask]);
    }
    return last;
  }

  private long up(long tick) {
    return clock.ceil(tick);
  }
}
