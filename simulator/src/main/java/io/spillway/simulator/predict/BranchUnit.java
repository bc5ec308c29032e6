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

  private final long[] indirectTag;
  private final long[] indirectTarget;
  private final int indirectSets;
  private final int indirectWays;
  private final int historyMask;
  private final int pathShift;
  private long random = 0x853C49E6748FEA9BL;

  private final long[] waitingPc = new long[DirectionPredictor.SLOTS];
  private final boolean[] waitingTaken = new boolean[DirectionPredictor.SLOTS];
  private final long[] waitingTime = new long[DirectionPredictor.SLOTS];
  private int head;
  private int tail;

  /// The state on each wrong path within the one before, and the one that fetch is on.
  private final List<Speculative> states = new ArrayList<>();

  private int wrongPaths;
  private Speculative now;

  /// Conditional branches predicted, wrong paths included.
  public long conditional;

  /// Branches of the right path that led fetch the wrong way: conditional ones, and jumps with a
  /// wrong or unknown target.
  public long mispredicted;

  public long unknownTarget;

  /// Branches of wrong paths that decode or execution put right before their path ended.
  public long mispredictedAside;

  /// Direct branches of the right path whose target decode had to put right.
  public long redirected;

  /// Branches of the right path that decode or execution had to put right, each counted once.
  public long corrected;

  public BranchUnit(Predictor p) {
    direction = DirectionPredictor.of(p.direction(), p.shift());
    shift = p.shift();
    quirk = p.shortBranchQuirk();
    btbTag = new long[p.btb()];
    btbTarget = new long[p.btb()];
    Arrays.fill(btbTag, -1);
    btbBits = Integer.numberOfTrailingZeros(p.btb());
    btbTagMask = (1L << p.btbTagBits()) - 1;
    indirectSets = p.indirectSets();
    indirectWays = p.indirectWays();
    indirectTag = new long[indirectSets * indirectWays];
    Arrays.fill(indirectTag, -1);
    indirectTarget = new long[indirectTag.length];
    historyMask = (1 << p.indirectHistory()) - 1;
    pathShift = Integer.numberOfTrailingZeros(indirectSets) / p.indirectPath();
    now = new Speculative(p.returns(), p.indirectPath());
    states.add(now);
  }

  /// Sets every count to zero.
  public void resetCounts() {
    conditional = 0;
    mispredicted = 0;
    unknownTarget = 0;
    mispredictedAside = 0;
    redirected = 0;
    corrected = 0;
  }

  /// Whether the last prediction said that the branch is taken.
  public boolean taken() {
    return now.taken;
  }

  /// Its predicted target if so.
  public long target() {
    return now.target;
  }

  /// Predicts the branch at `pc`, which fetch meets at `time`.
  public void predict(Instruction in, long pc, long time) {
    while (head != tail && waitingTime[head] <= time) {
      direction.train(waitingPc[head], head, waitingTaken[head]);
      head = head + 1 & DirectionPredictor.SLOTS - 1;
    }
    now.slot = tail;
    tail = tail + 1 & DirectionPredictor.SLOTS - 1;
    if (tail == head) {
      direction.train(waitingPc[head], head, waitingTaken[head]);
      head = head + 1 & DirectionPredictor.SLOTS - 1;
    }
    waitingTime[now.slot] = Long.MAX_VALUE;
    waitingPc[now.slot] = pc;
    boolean isConditional = in.opClass() == OpClass.BRANCH;
    if (isConditional) {
      conditional++;
      now.taken = direction.predict(pc, now.slot);
    } else {
      direction.unconditional(now.slot);
      now.taken = true;
    }
    boolean directionTaken = now.taken;
    now.historyBefore = now.indirectHistory;
    now.viaIndirect = false;
    now.redirected = false;
    now.target = pc + in.length();
    if (now.taken) {
      if (in.isReturn()) {
        now.target = now.pop();
        if (in.isCall()) {
          now.push(pc + in.length());
        }
      } else {
        if (in.isCall()) {
          now.push(pc + in.length());
        }
        if (in.opClass() == OpClass.INDIRECT_JUMP) {
          indirect(pc);
        } else {
          direct(in, pc);
        }
      }
    }
    now.indirectHistory = (now.indirectHistory << 1 | (directionTaken ? 1 : 0)) & historyMask;
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
      now.target = btbTarget[i];
    } else {
      now.taken = false;
      if (!in.isCall()) {
        direction.clear(pc);
      }
    }
  }

  private void indirect(long pc) {
    now.viaIndirect = true;
    long hash = pc >>> shift ^ now.indirectHistory;
    for (int p = 0; p < Math.min(now.pathLength, now.path.length); p++) {
      hash ^= now.path[(now.pathLength - 1 - p) % now.path.length] >>> (shift + p * pathShift);
    }
    now.indirectSet = (int) (hash & indirectSets - 1);
    long tag = pc >>> shift & 0xffff;
    now.taken = false;
    for (int i = now.indirectSet * indirectWays; i < (now.indirectSet + 1) * indirectWays; i++) {
      if (indirectTag[i] == tag) {
        now.taken = true;
        now.target = indirectTarget[i];
        break;
      }
    }
    now.path[now.pathLength % now.path.length] = now.target;
    now.pathLength = now.pathLength + 1 == 1 << 30 ? now.path.length : now.pathLength + 1;
  }

  /// Begins a wrong path: what is predicted until [#leaveWrongPath] is taken back there. Wrong
  /// paths may lie within each other.
  public void enterWrongPath() {
    if (++wrongPaths == states.size()) {
      states.add(new Speculative(now.stack.length, now.path.length));
    }
    Speculative before = now;
    now = states.get(wrongPaths);
    now.copyFrom(before);
  }

  /// Forgets the wrong path; the branch before it is the last prediction again.
  public void leaveWrongPath() {
    now = states.get(--wrongPaths);
    int last = now.slot + 1 & DirectionPredictor.SLOTS - 1;
    while (tail != last) {
      tail = tail - 1 & DirectionPredictor.SLOTS - 1;
      direction.undo(waitingPc[tail], tail);
    }
  }

  /// Tells the truth about the last prediction.
  ///
  /// @param wrong whether fetch went the wrong way because of it
  /// @param outOfOrder whether an out-of-order core learns it, see the predictor's quirk
  public void resolve(
      Instruction in, long pc, boolean wasTaken, long next, boolean wrong, boolean outOfOrder) {
    boolean learned = wasTaken;
    if ((wrong || now.redirected) && wrongPaths == 0) {
      corrected++;
    }
    if (wrong) {
      if (wrongPaths > 0) {
        mispredictedAside++;
      } else if (in.opClass() == OpClass.BRANCH) {
        mispredicted++;
      } else {
        unknownTarget++;
      }
      if (quirk && outOfOrder && !wasTaken && in.length() == 2) {
        learned = true;
      }
      direction.repair(pc, now.slot, learned);
      now.indirectHistory = (now.historyBefore << 1 | (learned ? 1 : 0)) & historyMask;
      if (learned) {
        if (now.viaIndirect) {
          remember(pc, next);
        } else {
          int i = btbIndex(pc);
          btbTag[i] = btbTagOf(pc);
          btbTarget[i] = next;
        }
      }
    }
    waitingTaken[now.slot] = learned;
  }

  /// Decode found the target of a direct branch: puts the target buffer and the history right.
  public void redirect(long pc, long known) {
    if (wrongPaths > 0) {
      mispredictedAside++;
    } else {
      redirected++;
    }
    now.redirected = true;
    direction.repair(pc, now.slot, true);
    now.indirectHistory = (now.historyBefore << 1 | 1) & historyMask;
    int i = btbIndex(pc);
    btbTag[i] = btbTagOf(pc);
    btbTarget[i] = known;
    now.taken = true;
    now.target = known;
  }

  private void remember(long pc, long next) {
    now.path[(now.pathLength - 1) % now.path.length] = next;
    long tag = pc >>> shift & 0xffff;
    int base = now.indirectSet * indirectWays;
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
    waitingTime[now.slot] = time;
  }
}
