package io.spillway.simulator.timing;

/// What an in-order core issues on a wrong path before the branch commits. Nothing is computed, but
/// a load whose address was known before the branch goes to memory. **Units:** core cycles.
final class IssueAhead {
  private static final long NEVER = Long.MAX_VALUE / 4;

  private final InOrderCore owner;
  private final int width;

  /// When each register that the path writes may be used, and a bit for each of those.
  private final long[] readyAt = new long[TimedInstruction.REGISTERS];

  private long written;

  private long cycle;
  private int issuedNow;
  private long end;
  private boolean issues;

  /// @param width instructions issued per cycle
  IssueAhead(InOrderCore owner, int width) {
    this.owner = owner;
    this.width = width;
  }

  /// Begins behind a branch.
  ///
  /// @param issued when the branch issued, and how many did by then in that cycle
  /// @param committed when it commits
  void begin(long issued, int issuedInCycle, long committed) {
    cycle = issued;
    issuedNow = issuedInCycle;
    end = committed;
    written = 0;
    issues = true;
  }

  /// Issues the next instruction of the path if it may before the branch commits.
  ///
  /// @param earliest when it comes from decode
  void issue(TimedInstruction t, long pc, long earliest) {
    if (!issues) {
      return;
    }
    long at = Math.max(earliest, cycle);
    at = Math.max(at, ready(t.source1, t.lead));
    at = Math.max(at, ready(t.source2, t.lead));
    at = Math.max(at, ready(t.source3, t.lead));
    if (at == cycle && issuedNow >= width) {
      at++;
    }
    // what waits for every older instruction lets nothing pass
    issues = at < end && !t.interrupts;
    if (!issues) {
      return;
    }
    issuedNow = at == cycle ? issuedNow + 1 : 1;
    cycle = at;
    if (t.kind == TimedInstruction.Kind.LOAD && !writes(t.source1)) {
      owner.sendAhead(t, pc, at + t.latency, end);
    }
    if (t.destination < TimedInstruction.NO_SOURCE) {
      written |= 1L << t.destination;
      readyAt[t.destination] = t.memory && t.assumed == 0 ? NEVER : at + t.latency + t.assumed;
    }
  }

  private boolean writes(int register) {
    return register < TimedInstruction.NO_SOURCE && (written >>> register & 1) != 0;
  }

  private long ready(int register, int lead) {
    return writes(register) ? readyAt[register] - lead : owner.ready(register, lead);
  }
}
