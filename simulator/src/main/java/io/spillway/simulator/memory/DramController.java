package io.spillway.simulator.memory;

import io.spillway.simulator.system.Dram;
import java.util.Arrays;

/// One DRAM channel as the caches see it: a read is answered with the time at which its data
/// leaves.
///
/// A read is answered at once, although what comes later may go before it. So decisions are made
/// twice: for good up to the time of the latest request, and from there on trial, with all requests
/// that have come, until the read is served. What comes later changes the order in which the
/// channel works and the answers to later reads, but takes no answer back.
///
/// **Units:** femtoseconds.
final class DramController extends Below {
  private final long frontend;
  private final long staticDelay;
  private final DramScheduler scheduler;
  private final DramScheduler trial;

  // ---- requests that the scheduler has not seen, in the order of their times
  private long[] times = new long[64];
  private long[] lines = new long[64];
  private long[] ids = new long[64];
  private int waiting;
  private long latest;
  private long nextId;

  /// When the column command of the wanted read went.
  private long served;

  long reads;
  long writes;
  private final int number;

  /// @param number the level's number, one past the last cache
  DramController(Dram d, int number) {
    this.number = number;
    scheduler = new DramScheduler(d);
    trial = new DramScheduler(d);
    frontend = DramBanks.fs(d.frontend());
    staticDelay = DramBanks.fs(d.frontend() + d.backend());
  }

  void resetCounts() {
    reads = 0;
    writes = 0;
    scheduler.banks().rowHits = 0;
    scheduler.banks().busBusy = 0;
  }

  /// Accesses that found their row open, those still to be decided included.
  long rowHits() {
    finish();
    return trial.banks().rowHits;
  }

  /// Time that the data bus moved data.
  long busBusy() {
    finish();
    return trial.banks().busBusy;
  }

  private void finish() {
    trial.copyFrom(scheduler);
    run(trial, Long.MAX_VALUE, -1);
  }

  @Override
  void warm(long line, boolean dirty) {}

  @Override
  void modified(long line) {}

  @Override
  long read(
      long line, long time, long header, boolean write, int requestor, long pc, long address) {
    servedBy = number;
    servedDirty = false;
    servedShared = false;
    reads++;
    settle(time);
    if (willWrite(line)) {
      return time + frontend + header;
    }
    long id = nextId++;
    add(time, line, id);
    DramBanks banks = scheduler.banks();
    long column = waiting == 1 ? scheduler.ofLoneRead(line, time) : -1;
    if (column < 0) {
      column = serve(id);
    }
    return column + banks.cl + banks.burst + staticDelay + header;
  }

  @Override
  void write(long line, long time, long header, boolean dirty) {
    if (!dirty) {
      return;
    }
    writes++;
    settle(time);
    if (!willWrite(line)) {
      add(time, line, -1);
    }
  }

  /// Whether a write of the line waits, so that a read has its data and a write joins it.
  private boolean willWrite(long line) {
    for (int i = 0; i < waiting; i++) {
      if (lines[i] == line && ids[i] < 0) {
        return true;
      }
    }
    return scheduler.willWrite(line);
  }

  private void add(long time, long line, long id) {
    if (waiting == times.length) {
      times = Arrays.copyOf(times, 2 * waiting);
      lines = Arrays.copyOf(lines, 2 * waiting);
      ids = Arrays.copyOf(ids, 2 * waiting);
    }
    int at = waiting++;
    while (at > 0 && times[at - 1] > time) {
      times[at] = times[at - 1];
      lines[at] = lines[at - 1];
      ids[at] = ids[at - 1];
      at--;
    }
    times[at] = time;
    lines[at] = line;
    ids[at] = id;
  }

  /// Decides for good what is older than any request still to come.
  private void settle(long time) {
    latest = Math.max(latest, time);
    int taken = run(scheduler, latest, -1);
    if (taken == 0) {
      return;
    }
    waiting -= taken;
    System.arraycopy(times, taken, times, 0, waiting);
    System.arraycopy(lines, taken, lines, 0, waiting);
    System.arraycopy(ids, taken, ids, 0, waiting);
  }

  /// Decides on trial until a read is served.
  private long serve(long id) {
    trial.copyFrom(scheduler);
    run(trial, Long.MAX_VALUE, id);
    return served;
  }

  /// Makes the decisions before `end`, or until the wanted read is served.
  ///
  /// @return how many requests the scheduler was given
  private int run(DramScheduler s, long end, long wanted) {
    int next = 0;
    long now = Long.MIN_VALUE;
    while (true) {
      long decision = s.nextDecision(now);
      if (next < waiting && times[next] < end && times[next] <= decision) {
        now = times[next];
        if (ids[next] >= 0) {
          s.addRead(lines[next], ids[next]);
        } else {
          s.addWrite(lines[next]);
        }
        next++;
        continue;
      }
      if (decision >= end) {
        return next;
      }
      now = decision;
      long column = s.decide(now, wanted);
      if (column >= 0) {
        served = column;
        return next;
      }
    }
  }
}
