package io.spillway.simulator.predict;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.system.Predictor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Predicts every branch of one core in fetch order: direction, target buffer, return stack and
/// indirect targets.
///
/// A core calls [#predict], then [#resolve] with the truth, and [#commit] with the time at which
/// the branch commits; counters learn only once a later prediction is at or past that time.
public final class BranchUnit {
  private final DirectionPredictor direction;
  private final int shift;
  private final boolean quirk;

  private final long[] btbTag;
  private final long[] btbTarget;
  private final int btbBits;
  private final long btbTagMask;

  private final long[] stack;
  private int top;
  private int depth;

  private final long[] indirectTag;
  private final long[] indirectTarget;
  private final int indirectSets;
  private final int indirectWays;
  private final int historyMask;
  private final long[] path;
  private final int pathShift;
  private int pathLength;
  private int indirectHistory;
  private long random = 0x853C49E6748FEA9BL;

  private final long[] waitingPc = new long[DirectionPredictor.SLOTS];
  private final boolean[] waitingTaken = new boolean[DirectionPredictor.SLOTS];
  private final long[] waitingTime = new long[DirectionPredictor.SLOTS];
  private int head;
  private int tail;

  // ---- what the last prediction said
  private int slot;
  private int historyBefore;
  private int indirectSet;
  private boolean viaIndirect;

  /// What the start of each wrong path saved, the innermost last.
  private final List<Saved> saved = new ArrayList<>();

  private int wrongPaths;

  /// Whether the branch was predicted taken.
  public boolean taken;

  /// Its predicted target if so.
  public long target;

  /// Conditional branches predicted and mispredicted, branches with a wrong or unknown target.
  public long conditional;

  public long mispredicted;
  public long unknownTarget;

  public BranchUnit(Predictor p) {
    direction = DirectionPredictor.of(p.direction(), p.shift());
    shift = p.shift();
    quirk = p.shortBranchQuirk();
    btbTag = new long[p.btb()];
    btbTarget = new long[p.btb()];
    Arrays.fill(btbTag, -1);
    btbBits = Integer.numberOfTrailingZeros(p.btb());
    btbTagMask = (1L << p.btbTagBits()) - 1;
    stack = new long[p.returns()];
    indirectSets = p.indirectSets();
    indirectWays = p.indirectWays();
    indirectTag = new long[indirectSets * indirectWays];
    Arrays.fill(indirectTag, -1);
    indirectTarget = new long[indirectTag.length];
    historyMask = (1 << p.indirectHistory()) - 1;
    path = new long[p.indirectPath()];
    pathShift = Integer.numberOfTrailingZeros(indirectSets) / p.indirectPath();
  }

  /// Predicts the branch at `pc`, which fetch meets at `time`.
  public void predict(Instruction in, long pc, long time) {
    while (head != tail && waitingTime[head] <= time) {
      direction.train(waitingPc[head], head, waitingTaken[head]);
      head = head + 1 & DirectionPredictor.SLOTS - 1;
    }
    slot = tail;
    tail = tail + 1 & DirectionPredictor.SLOTS - 1;
    if (tail == head) {
      direction.train(waitingPc[head], head, waitingTaken[head]);
      head = head + 1 & DirectionPredictor.SLOTS - 1;
    }
    waitingTime[slot] = Long.MAX_VALUE;
    waitingPc[slot] = pc;
    boolean isConditional = in.opClass() == OpClass.BRANCH;
    if (isConditional) {
      conditional++;
      taken = direction.predict(pc, slot);
    } else {
      direction.unconditional(slot);
      taken = true;
    }
    boolean directionTaken = taken;
    historyBefore = indirectHistory;
    viaIndirect = false;
    target = pc + in.length();
    if (taken) {
      if (in.isReturn()) {
        target = depth > 0 ? stack[top] : 0;
        if (depth > 0) {
          top = (top + stack.length - 1) % stack.length;
          depth--;
        }
        if (in.isCall()) {
          push(pc + in.length());
        }
      } else {
        if (in.isCall()) {
          push(pc + in.length());
        }
        if (in.opClass() == OpClass.INDIRECT_JUMP) {
          indirect(pc);
        } else {
          direct(in, pc);
        }
      }
    }
    indirectHistory = (indirectHistory << 1 | (directionTaken ? 1 : 0)) & historyMask;
  }

  private void push(long address) {
    top = (top + 1) % stack.length;
    stack[top] = address;
    depth = Math.min(depth + 1, stack.length);
  }

  private int btbIndex(long pc) {
    return (int) (pc >>> shift) & btbTag.length - 1;
  }

  private long btbTagOf(long pc) {
    return pc >>> (shift + btbBits) & btbTagMask;
  }

  private void direct(Instruction in, long pc) {
    int i = btbIndex(pc);
    if (btbTag[i] == btbTagOf(pc)) {
      target = btbTarget[i];
    } else {
      taken = false;
      if (!in.isCall()) {
        direction.clear(pc);
      }
    }
  }

  private void indirect(long pc) {
    viaIndirect = true;
    long hash = pc >>> shift ^ indirectHistory;
    for (int p = 0; p < Math.min(pathLength, path.length); p++) {
      hash ^= path[(pathLength - 1 - p) % path.length] >>> (shift + p * pathShift);
    }
    indirectSet = (int) (hash & indirectSets - 1);
    long tag = pc >>> shift & 0xffff;
    taken = false;
    for (int i = indirectSet * indirectWays; i < (indirectSet + 1) * indirectWays; i++) {
      if (indirectTag[i] == tag) {
        taken = true;
        target = indirectTarget[i];
        break;
      }
    }
    path[pathLength % path.length] = target;
    pathLength = pathLength + 1 == 1 << 30 ? path.length : pathLength + 1;
  }

  /// The state that a prediction changes, but for the direction predictor's, which undoes itself.
  private final class Saved {
    private final long[] savedStack = new long[stack.length];
    private final long[] savedPath = new long[path.length];
    private int savedSlot;
    private int savedTop;
    private int savedDepth;
    private int savedPathLength;
    private int savedIndirectSet;
    private int savedHistoryBefore;
    private boolean savedViaIndirect;
    private boolean savedTaken;
    private long savedTarget;
    private int savedIndirectHistory;

    private void save() {
      savedSlot = slot;
      savedTop = top;
      savedDepth = depth;
      System.arraycopy(stack, 0, savedStack, 0, stack.length);
      System.arraycopy(path, 0, savedPath, 0, path.length);
      savedPathLength = pathLength;
      savedIndirectSet = indirectSet;
      savedHistoryBefore = historyBefore;
      savedViaIndirect = viaIndirect;
      savedTaken = taken;
      savedTarget = target;
      savedIndirectHistory = indirectHistory;
    }

    private void restore() {
      slot = savedSlot;
      top = savedTop;
      depth = savedDepth;
      System.arraycopy(savedStack, 0, stack, 0, stack.length);
      System.arraycopy(savedPath, 0, path, 0, path.length);
      pathLength = savedPathLength;
      indirectSet = savedIndirectSet;
      historyBefore = savedHistoryBefore;
      viaIndirect = savedViaIndirect;
      taken = savedTaken;
      target = savedTarget;
      indirectHistory = savedIndirectHistory;
    }
  }

  /// Begins a wrong path: what is predicted until [#leaveWrongPath] is taken back there. Wrong
  /// paths may lie within each other.
  public void enterWrongPath() {
    if (wrongPaths == saved.size()) {
      saved.add(new Saved());
    }
    saved.get(wrongPaths++).save();
  }

  /// Forgets the wrong path; the branch before it is the last prediction again.
  public void leaveWrongPath() {
    Saved before = saved.get(--wrongPaths);
    int last = before.savedSlot + 1 & DirectionPredictor.SLOTS - 1;
    while (tail != last) {
      tail = tail - 1 & DirectionPredictor.SLOTS - 1;
      direction.undo(waitingPc[tail], tail);
    }
    before.restore();
  }

  /// Tells the truth about the last prediction.
  ///
  /// @param wrong whether fetch went the wrong way because of it
  /// @param outOfOrder whether an out-of-order core learns it, see the predictor's quirk
  public void resolve(
      Instruction in, long pc, boolean wasTaken, long next, boolean wrong, boolean outOfOrder) {
    boolean learned = wasTaken;
    if (wrong) {
      if (in.opClass() == OpClass.BRANCH) {
        mispredicted++;
      } else {
        unknownTarget++;
      }
      if (quirk && outOfOrder && !wasTaken && in.length() == 2) {
        learned = true;
      }
      direction.repair(pc, slot, learned);
      indirectHistory = (historyBefore << 1 | (learned ? 1 : 0)) & historyMask;
      if (learned) {
        if (viaIndirect) {
          remember(pc, next);
        } else {
          int i = btbIndex(pc);
          btbTag[i] = btbTagOf(pc);
          btbTarget[i] = next;
        }
      }
    }
    waitingTaken[slot] = learned;
  }

  /// Decode found the target of a direct branch: puts the target buffer and the history right.
  public void redirect(long pc, long known) {
    direction.repair(pc, slot, true);
    indirectHistory = (historyBefore << 1 | 1) & historyMask;
    int i = btbIndex(pc);
    btbTag[i] = btbTagOf(pc);
    btbTarget[i] = known;
    taken = true;
    target = known;
  }

  private void remember(long pc, long next) {
    path[(pathLength - 1) % path.length] = next;
    long tag = pc >>> shift & 0xffff;
    int base = indirectSet * indirectWays;
    for (int i = base; i < base + indirectWays; i++) {
      if (indirectTag[i] == tag) {
        indirectTarget[i] = next;
        return;
      }
    }
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    int victim = base + (int) ((random >>> 33) % indirectWays);
    indirectTag[victim] = tag;
    indirectTarget[victim] = next;
  }

  /// Says when the last predicted branch commits and its counters may learn.
  public void commit(long time) {
    waitingTime[slot] = time;
  }
}
