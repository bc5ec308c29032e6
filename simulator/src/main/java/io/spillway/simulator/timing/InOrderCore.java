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
  private final MemorySystem memory;
  private final CodeReader code;
  private final BranchUnit branches;
  private final CycleStack stack;
  private int waitLevel;
  private long waitMemory;
  private long waitRoom;
  private int frontCause = CycleStack.FETCH;
  private long frontWait;

  // ---- functional units, one row per operation class
  private final int[] unitFirst;
  private final int[] unitCount;
  private final int[] latency;
  private final int[] interval;
  private final int[] lead;
  private final int[] assumed;
  private final long[] unitFree;
  private final long[] unitLast;
  private final long[] unitEnd;
  private final long[] unitPop;
  private int chosen;

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
  private final long[] returnCycle = new long[64];
  private final long[] commitOf = new long[64];
  private final long[] useOf = new long[64];

  // ---- commit
  private long commitCycle;
  private int committedNow;
  private int memoryCommittedNow;

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
    this.core = core;
    this.code = code;
    this.period = core.clock().period(fastHertz);
    this.clock = new Cycles(period);
    this.memory = memory;
    this.branches = new BranchUnit(predictor);
    this.stack = new CycleStack(memory.depth());
    stack.charge(1, 1, 0, 0, 0, 0);
    int classes = OpClass.values().length;
    unitFirst = new int[classes];
    unitCount = new int[classes];
    latency = new int[classes];
    interval = new int[classes];
    lead = new int[classes];
    assumed = new int[classes];
    Arrays.fill(unitFirst, -1);
    int units = 0;
    for (Unit unit : core.units()) {
      for (Unit.Operation op : unit.ops()) {
        for (OpClass c : op.classes()) {
          int i = c.ordinal();
          unitFirst[i] = units;
          unitCount[i] = unit.count();
          latency[i] = op.latency();
          interval[i] = op.interval();
          lead[i] = op.lead();
          assumed[i] = op.assumed();
        }
      }
      units += unit.count();
    }
    int integer = OpClass.INTEGER_ALU.ordinal();
    for (int i = 0; i < classes; i++) {
      if (unitFirst[i] < 0) {
        unitFirst[i] = Math.max(0, unitFirst[integer]);
        unitCount[i] = Math.max(1, unitCount[integer]);
        latency[i] = Math.max(1, latency[integer]);
        interval[i] = Math.max(1, interval[integer]);
        lead[i] = lead[integer];
      }
    }
    unitFree = new long[Math.max(1, units)];
    unitLast = new long[Math.max(1, units)];
    unitEnd = new long[Math.max(1, units)];
    unitPop = new long[Math.max(1, units)];
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
  public void retire(Instruction in, long pc, long next, boolean taken, long address) {
    long before = commitCycle;
    waitMemory = 0;
    waitRoom = 0;
    long lastFetch = fetchCycle;
    long fetched = fetch(pc, in.length());
    frontWait = fetchable > lastFetch ? Math.max(0, fetched - lastFetch - 1) : 0;
    OpClass c = in.opClass();
    boolean control = c.isControl();
    if (control) {
      branches.predict(in, pc, fetched);
    }
    int k = c.ordinal();
    long issued = issue(in, k, c.isMemory(), fetched);
    int u = chosen;
    long end =
        Math.max(issued + latency[k], unitPop[u] + Math.min(issued - unitLast[u], latency[k]));
    unitFree[u] =
        Math.max(
            issued + interval[k],
            unitEnd[u] <= issued && issued < unitPop[u] ? unitPop[u] + 1 : issued + 1);
    unitLast[u] = issued;
    unitEnd[u] = end;
    long committed;
    if (c.isMemory()) {
      committed = access(in, c, pc, address, end, u);
    } else {
      committed = commit(end, false);
      unitPop[u] = committed;
    }
    stack.charge(committed - before, waitLevel, waitMemory, frontCause, frontWait, waitRoom);
    frontCause = CycleStack.FETCH;
    int rd = in.destination();
    if (rd >= 0) {
      boolean unpredictable = c.isMemory() && assumed[k] == 0;
      returnCycle[rd] = unpredictable ? Long.MAX_VALUE / 2 : issued + latency[k] + assumed[k];
      commitOf[rd] = committed;
      useOf[rd] = committedNow == core.commitWidth() ? committed + 1 : committed;
    }
    if (control) {
      branch(in, pc, next, taken, fetched, committed);
    } else if (c == OpClass.SYSTEM) {
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
    lineDone = up(memory.fetch(wanted << LINE_BITS, start * period));
    fetchable = lineDone + core.fetchForward();
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
      busy = up(memory.fetch(sequential << LINE_BITS, start * period)) + 1;
      start = busy;
    }
    Arrays.fill(pops, 0);
    open(address >>> LINE_BITS, Math.max(cycle, busy));
    fetchedNow = core.width();
  }

  /// Starts again after something that fetch did not foresee.
  private void restart(long cycle, long address) {
    redirect(cycle, address, NEVER);
  }

  private void branch(
      Instruction in, long pc, long next, boolean taken, long fetched, long committed) {
    boolean predicted = branches.taken;
    long target = predicted ? branches.target : pc + in.length();
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
    wrongPath(predicted, target, fetched, resolved);
    branches.leaveWrongPath();
    branches.resolve(in, pc, taken, next, true, false);
    branches.commit(resolved);
    restart(resolved, next);
    frontCause = CycleStack.BRANCH;
  }

  /// Fetches along the wrong path until the branch resolves, for the lines that are then on their
  /// way.
  private void wrongPath(boolean jump, long target, long fetched, long resolved) {
    long group0 = group;
    long at = fetched;
    long pc = target;
    boolean redirected = jump;
    while (at < resolved) {
      Instruction in = code.at(pc);
      if (in == null) {
        break;
      }
      if (redirected) {
        redirect(at + core.fetchBackward(), pc, at);
        redirected = false;
      }
      at = fetch(pc, in.length());
      groupPop[(int) group & GROUPS - 1] =
          group - group0 <= WRONG_GROUPS ? at + issueDelay : resolved;
      pc += in.length();
      if (at < resolved && in.isControl()) {
        branches.predict(in, pc - in.length(), at);
        if (branches.taken) {
          pc = branches.target;
          redirected = true;
        }
      }
    }
    if (redirected && at < resolved && code.at(pc) != null) {
      redirect(at + core.fetchBackward(), pc, at);
    }
    fetchCycle = Math.min(fetchCycle, resolved);
    for (long g = group0 + 1; g <= group; g++) {
      groupPop[(int) g & GROUPS - 1] = Math.min(groupPop[(int) g & GROUPS - 1], resolved);
    }
  }

  // ---- issue and commit

  private long issue(Instruction in, int k, boolean isMemory, long fetched) {
    long at = Math.max(fetched + issueDelay, issueCycle);
    at = Math.max(at, ready(in.source1(), lead[k]));
    at = Math.max(at, ready(in.source2(), lead[k]));
    at = Math.max(at, ready(in.source3(), lead[k]));
    if (at == issueCycle && (issuedNow >= core.issueWidth() || issueClosed)) {
      at++;
    }
    int first = unitFirst[k];
    int best = first;
    for (int u = first; u < first + unitCount[k]; u++) {
      if (unitFree[u] <= at) {
        best = u;
        break;
      }
      if (unitFree[u] < unitFree[best]) {
        best = u;
      }
    }
    chosen = best;
    at = Math.max(at, unitFree[best]);
    if (at > issueCycle) {
      issueCycle = at;
      issuedNow = 0;
      memoryIssuedNow = 0;
      issueClosed = false;
    }
    issuedNow++;
    if (isMemory && ++memoryIssuedNow >= core.memoryIssueWidth()) {
      issueClosed = true;
    }
    groupPop[(int) group & GROUPS - 1] = at;
    return at;
  }

  private long ready(int register, int early) {
    return register < 0 ? 0 : Math.min(returnCycle[register] - early, commitOf[register]);
  }

  private long commit(long end, boolean isMemory) {
    long at = Math.max(end, commitCycle);
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

  private long access(Instruction in, OpClass c, long pc, long address, long end, int u) {
    long at = Math.max(end, requestFree);
    at = Math.max(at, use(in.source1()));
    at = Math.max(at, use(in.source2()));
    unitPop[u] = at;
    long oldest = transferCommit[transfer];
    if (oldest > at) {
      at = oldest + 1;
    }
    long done;
    if (c == OpClass.STORE) {
      long room = storeRoom(at);
      waitRoom = room - at;
      done = commit(Math.max(at, room), true);
      enqueue(address, in.accessBytes(), pc, done + 1);
      lastStore = done;
    } else {
      if (lastStore > at) {
        at = lastStore + 1;
      }
      if (c == OpClass.ATOMIC) {
        at = Math.max(at, commitCycle);
        at = Math.max(at, drain());
      }
      at = load(in, address, pc, at, c == OpClass.ATOMIC);
      done = commit(answer, true);
    }
    requestFree = at;
    transferCommit[transfer] = done;
    transfer = transfer + 1 == transferCommit.length ? 0 : transfer + 1;
    return done;
  }

  private long use(int register) {
    return register < 0 ? 0 : useOf[register];
  }

  /// Sends a load at `at` or later, sets `answer` to the cycle of its data and returns the cycle of
  /// the sending.
  private long load(Instruction in, long address, long pc, long at, boolean write) {
    sendStores(at);
    int bytes = in.accessBytes();
    for (int i = storeTail - 1; i >= 0 && i > storeTail - 1 - core.storeBuffer(); i--) {
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
    long tick =
        write
            ? memory.store(address, bytes, at * period, pc)
            : memory.load(address, bytes, at * period, pc);
    answer = up(tick);
    if (core.idles() && answer - at > runsDry) {
      answer++;
    }
    slots[slot] = answer;
    waitLevel = memory.servedBy();
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
      storeGone[s] = up(memory.store(storeAddress[s], storeBytes[s], at * period, storePc[s]));
      slots[slot] = storeGone[s];
      storeHead++;
    }
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
