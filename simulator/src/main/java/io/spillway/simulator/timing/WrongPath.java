package io.spillway.simulator.timing;

import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Speculation;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.Core;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What an out-of-order core does between a wrong prediction and its discovery: it fetches along
/// the wrong path, its loads reach the data cache, its branches are predicted and, where they are
/// found to be wrong before the first one is, lead fetch elsewhere. **Units:** core cycles.
final class WrongPath {
  /// Wrong predictions within wrong paths that are followed up.
  private static final int DEPTH = 3;

  /// Cycles from the resolution of a branch to the last in which a load behind it is still sent:
  /// the squash takes a cycle to the reorder buffer and the load queue hears of it in the next.
  private static final int SQUASH_DELAY = 1;

  /// When a value comes that does not come before the path is left.
  private static final long NEVER = Long.MAX_VALUE / 2;

  private static final int REGISTERS = TimedInstruction.REGISTERS;

  private final Core.OutOfOrder core;
  private final long period;
  private final FetchStage fetch;
  private final MemorySystem memory;
  private final BranchUnit branches;
  private final TimedCode code;
  private final StoreWindow window;
  private final OutOfOrderCore owner;

  /// Values and their times, by depth.
  private final long[][] valueAt = new long[DEPTH + 1][REGISTERS];

  private Speculation[] values = new Speculation[0];

  private @Nullable Hart hart;

  // ---- of the path under way: instructions, and those that reached rename
  private int fetched;
  private int renamed;

  /// Those that reached the reorder buffer before the branch executed, and when it did.
  private int inBuffer;

  private long resolvedAt;

  WrongPath(
      OutOfOrderCore owner,
      Core.OutOfOrder core,
      long period,
      FetchStage fetch,
      MemorySystem memory,
      BranchUnit branches,
      TimedCode code,
      StoreWindow window) {
    this.owner = owner;
    this.core = core;
    this.period = period;
    this.fetch = fetch;
    this.memory = memory;
    this.branches = branches;
    this.code = code;
    this.window = window;
  }

  /// Follows the registers of `running` from now on; without it, no load of a wrong path is sent.
  void of(Hart running, Machine machine) {
    hart = running;
    if (values.length == 0) {
      values = new Speculation[DEPTH + 1];
      Arrays.setAll(values, depth -> new Speculation(machine));
    }
  }

  /// Fetches until decode finds the target of a direct branch: nothing executes.
  ///
  /// @param branch what was predicted wrong
  /// @param at its address
  /// @param pc where fetch goes on
  /// @param jump whether that is its predicted target
  void untilDecoded(TimedInstruction branch, long at, long pc, boolean jump, long until) {
    begin();
    walk(code.after(branch, at, pc), pc, jump, until, Long.MIN_VALUE, -1);
    end();
  }

  /// Fetches and executes until the branch before it is resolved.
  ///
  /// @param branch what was predicted wrong
  /// @param at its address
  /// @param pc where fetch goes on
  /// @param jump whether that is its predicted target
  /// @param resolved the cycle in which the branch executes
  /// @param ready when each register's value is there
  /// @return how many instructions reached the reorder buffer
  int untilResolved(
      TimedInstruction branch, long at, long pc, boolean jump, long resolved, long[] ready) {
    long until = resolved + 1 + core.commitToFetch();
    begin();
    resolvedAt = resolved;
    if (hart != null) {
      values[0].begin(hart);
      System.arraycopy(ready, 0, valueAt[0], 0, REGISTERS);
    }
    TimedInstruction first = code.after(branch, at, pc);
    walk(first, pc, jump, until, resolved + SQUASH_DELAY, hart == null ? -1 : 0);
    end();
    return Math.min(inBuffer, core.rob() - 1);
  }

  private void begin() {
    branches.enterWrongPath();
    owner.enterWrongPath();
    fetched = 0;
    renamed = 0;
    inBuffer = 0;
  }

  private void end() {
    owner.leaveWrongPath();
    branches.leaveWrongPath();
  }

  /// @param until the cycle before which instructions are fetched
  /// @param lastIssue the last cycle in which a load may go to the cache
  /// @param depth wrong predictions before this one on the path, -1 if nothing executes
  private void walk(
      @Nullable TimedInstruction t, long pc, boolean jump, long until, long lastIssue, int depth) {
    int limit = core.rob() + core.fetchQueue();
    int waiting = core.fetchQueue() + 2 * core.decodeWidth();
    // both end once for all: what is behind is renamed and issued no earlier
    boolean renames = true;
    boolean executes = depth >= 0;
    if (jump) {
      fetch.close();
    }
    while (t != null && fetched < limit && (renames || fetched < renamed + waiting)) {
      long at = fetch.nextOnWrongPath(pc, owner.fetchRoom(fetched));
      if (at >= until) {
        break;
      }
      long executed = Long.MAX_VALUE;
      if (renames) {
        long rename = owner.renameYounger(t, fetched, at);
        long dispatched = rename + core.renameToIssue();
        executes = executes && dispatched < lastIssue;
        if (executes) {
          executed = execute(t, pc, dispatched, lastIssue, depth);
        }
        renamed += rename < until ? 1 : 0;
        inBuffer += rename < resolvedAt ? 1 : 0;
        // what waits for every older instruction lets nothing pass
        renames = rename < until && !t.interrupts;
      }
      fetched++;
      long here = pc;
      pc += t.length;
      if (t.control) {
        branches.predict(t.in, here, at);
        if (renames) {
          putRight(t, here, until);
        }
        boolean predicted = branches.taken();
        pc = predicted ? branches.target() : pc;
        long next = depth < DEPTH && executed < lastIssue - 1 ? values[depth].next : pc;
        if (next != Speculation.UNKNOWN && next != pc) {
          elsewhere(t, here, pc, next, executed, depth);
          pc = next;
        } else if (predicted) {
          fetch.close();
        }
      }
      t = code.after(t, here, pc);
    }
  }

  /// Lets decode find the target of a direct branch before the path is left: fetch goes on there.
  private void putRight(TimedInstruction t, long pc, long until) {
    long known = pc + t.in.imm();
    boolean asTold = branches.taken() ? branches.target() == known : t.opClass != OpClass.JUMP;
    if (!t.direct || asTold) {
      return;
    }
    long resumed = owner.sent(fetched - 1) + core.fetchToDecode() + 2;
    if (resumed < until) {
      branches.redirect(pc, known);
      fetch.moveTo(resumed);
    }
  }

  /// A branch of the wrong path was predicted wrong and is found to be so: fetch follows the
  /// prediction until then and goes on at `next`.
  private void elsewhere(
      TimedInstruction t, long pc, long predicted, long next, long executed, int depth) {
    int fetchedBefore = fetched;
    int renamedBefore = renamed;
    int inBufferBefore = inBuffer;
    values[depth + 1].begin(values[depth]);
    System.arraycopy(valueAt[depth], 0, valueAt[depth + 1], 0, REGISTERS);
    branches.enterWrongPath();
    walk(
        code.after(t, pc, predicted),
        predicted,
        branches.taken(),
        executed + 1 + core.commitToFetch(),
        executed + SQUASH_DELAY,
        depth + 1);
    branches.leaveWrongPath();
    branches.resolve(t.in, pc, next != pc + t.length, next, true, true);
    fetch.moveTo(executed + 2 + core.commitToFetch());
    fetched = fetchedBefore;
    renamed = renamedBefore;
    inBuffer = inBufferBefore;
  }

  /// Executes an instruction; returns when.
  private long execute(TimedInstruction t, long pc, long dispatched, long lastIssue, int depth) {
    Speculation s = values[depth];
    long[] ready = valueAt[depth];
    s.execute(t.in, pc);
    long issued = Math.max(dispatched, ready[t.source1]);
    issued = Math.max(issued, Math.max(ready[t.source2], ready[t.source3]));
    long executed = issued + t.latency;
    long done = executed;
    if (t.kind == TimedInstruction.Kind.LOAD) {
      done = NEVER;
      if (executed <= lastIssue && s.address != Speculation.UNKNOWN) {
        done = load(s.address, t.bytes, executed, pc, lastIssue);
      }
    } else if (t.kind == TimedInstruction.Kind.ATOMIC) {
      done = NEVER;
    }
    ready[t.destination] = done;
    return executed;
  }

  private long load(long address, int bytes, long executed, long pc, long lastIssue) {
    long store = window.overlapping(address, bytes, executed);
    if (store >= 0) {
      return Math.max(executed, window.executed(store)) + 1;
    }
    // found blocked, the cache is asked again; the load may be gone by then
    long time = memory.takes(executed * period);
    if (time > lastIssue * period) {
      return NEVER;
    }
    return (memory.load(address, bytes, time, pc) + period - 1) / period;
  }
}
