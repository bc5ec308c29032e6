package io.spillway.simulator.memory;

import io.spillway.simulator.system.Dram;

/// Decides which request a DRAM channel serves next, one decision after another.
///
/// Reads go first. The bus turns to writes when no read waits and more than the low mark of writes
/// do, or after a read when more than the high mark do; it turns back when enough were written. A
/// decision falls at [DramBanks#nextChoice], or when a request comes to an idle channel.
///
/// **Units:** femtoseconds. **Source:** the policy of gem5's memory controller with first-ready
/// scheduling and adaptively open pages, told in our own words.
final class DramScheduler {
  private final DramBanks banks;
  private final DramQueue reads;
  private final DramQueue writes;
  private final int low;
  private final int high;
  private final int batch;

  private boolean writing;
  private int writesThisTurn;
  private long decided;

  DramScheduler(Dram d) {
    banks = new DramBanks(d);
    reads = new DramQueue(d.readQueue());
    writes = new DramQueue(d.writeQueue());
    low = (int) (d.writeQueue() * d.writeLow());
    high = (int) (d.writeQueue() * d.writeHigh());
    batch = d.writesPerSwitch();
  }

  DramBanks banks() {
    return banks;
  }

  void copyFrom(DramScheduler other) {
    banks.copyFrom(other.banks);
    reads.copyFrom(other.reads);
    writes.copyFrom(other.writes);
    writing = other.writing;
    writesThisTurn = other.writesThisTurn;
    decided = other.decided;
  }

  void addRead(long line, long id) {
    reads.add(line, id);
  }

  void addWrite(long line) {
    writes.add(line, -1);
  }

  boolean willWrite(long line) {
    return writes.holds(line);
  }

  /// When the next decision falls if nothing else comes, at the earliest at `now`; `Long.MAX_VALUE`
  /// when there is nothing to decide.
  long nextDecision(long now) {
    if (reads.size() == 0 && !writing && writes.size() <= low) {
      return Long.MAX_VALUE;
    }
    return Math.max(Math.max(banks.nextChoice(), decided), now);
  }

  /// The time of the column command of a read that comes at `time` and has nothing to wait for but
  /// banks and bus, or -1 where it has. Changes nothing.
  long ofLoneRead(long line, long time) {
    if (writing || reads.size() > 0) {
      return -1;
    }
    long now = Math.max(Math.max(banks.nextChoice(), decided), time);
    return banks.refreshIsDue(now) ? -1 : banks.burstTime(line, true, now);
  }

  /// Serves one request.
  ///
  /// @param now the time of the decision
  /// @param wanted the id of a read
  /// @return the time of the column command if that read was served, else -1
  long decide(long now, long wanted) {
    decided = now;
    banks.refresh(now);
    if (!writing && reads.size() == 0) {
      turn(true);
    }
    DramQueue queue = writing ? writes : reads;
    int chosen = queue.firstReady(banks, !writing, now);
    long line = queue.line(chosen);
    boolean found = !writing && queue.id(chosen) == wanted;
    queue.remove(chosen);
    long column = banks.access(line, !writing, now);
    if (queue.wantsClosed(banks, line)) {
      banks.close(line);
    }
    if (!writing) {
      if (writes.size() > high) {
        turn(true);
      }
    } else {
      writesThisTurn++;
      boolean enough = reads.size() > 0 && writesThisTurn >= batch;
      if (writes.size() == 0 || writes.size() + batch < low || enough) {
        turn(false);
      }
    }
    return found ? column : -1;
  }

  private void turn(boolean toWrites) {
    writing = toWrites;
    writesThisTurn = 0;
  }
}
