package io.spillway.simulator.memory;

import io.spillway.simulator.system.Dram;
import java.util.Arrays;

/// One DRAM channel: banks with open rows, a write queue that drains in batches, refresh.
///
/// **Units:** femtoseconds. Reads are served as they come, writes wait until enough have gathered
/// and prefer open rows; read data comes from the write queue where it holds the line.
///
/// **Source:** timing rules of JEDEC DDR3 as gem5's memory controller applies them.
final class DramController extends Below {
  private static final double FS = 1e6;

  private final int banksPerRank;
  private final int banks;
  private final int rowBits;
  private final int bankBits;
  private final long burst;
  private final long cl;
  private final long cwl;
  private final long rcd;
  private final long rp;
  private final long ras;
  private final long rtp;
  private final long wr;
  private final long rrd;
  private final long faw;
  private final long writeToRead;
  private final long readToWrite;
  private final long rankSwitch;
  private final long refi;
  private final long rfc;
  private final long staticDelay;
  private final int rowLimit;
  private final int low;
  private final int batch;

  private final long[] openRow;

  // ---- earliest commands: of a bank, and of all banks of a rank
  private final long[] columnAt;
  private final long[] rankReadAt;
  private final long[] rankWriteAt;
  private final long[] rankActivateAt;
  private final long[] prechargeAt;
  private final long[] activateAt;
  private final int[] rowUses;
  private final long[] column;
  private final long[] previousRow;
  private final long[] previousColumn;
  private final long[] changedAt;
  private final long[][] activates;
  private final int[] activateHead;
  private long nextBurst;
  private long refreshes;
  private final long firstRefresh;

  private final long[] queue;
  private int queued;
  private boolean draining;
  private int owed;

  long reads;
  long writes;
  long rowHits;
  long busBusy;
  private final int number;

  /// @param number the level's number, one past the last cache
  DramController(Dram d, int number) {
    this.number = number;
    banksPerRank = d.banks();
    banks = d.banks() * d.ranks();
    rowBits = Integer.numberOfTrailingZeros(d.rowBytes() / d.burstBytes());
    bankBits = Integer.numberOfTrailingZeros(banks);
    burst = fs(d.burst());
    cl = fs(d.cl());
    cwl = fs(d.cwl());
    rcd = fs(d.rcd());
    rp = fs(d.rp());
    ras = fs(d.ras());
    rtp = fs(d.rtp());
    wr = fs(d.wr());
    rrd = fs(d.rrd());
    faw = fs(d.faw());
    writeToRead = cwl + burst + fs(d.wtr());
    readToWrite = burst + fs(d.rtw());
    rankSwitch = burst + fs(d.cs());
    refi = fs(d.refi());
    rfc = fs(d.rfc());
    staticDelay = fs(d.frontend() + d.backend());
    rowLimit = d.rowAccesses();
    low = (int) (d.writeQueue() * d.writeLow());
    batch = d.writesPerSwitch();
    queue = new long[d.writeQueue()];
    openRow = new long[banks];
    Arrays.fill(openRow, -1);
    columnAt = new long[banks];
    rankReadAt = new long[d.ranks()];
    rankWriteAt = new long[d.ranks()];
    rankActivateAt = new long[d.ranks()];
    prechargeAt = new long[banks];
    activateAt = new long[banks];
    rowUses = new int[banks];
    column = new long[banks];
    previousRow = new long[banks];
    Arrays.fill(previousRow, -1);
    previousColumn = new long[banks];
    changedAt = new long[banks];
    activates = new long[d.ranks()][4];
    for (long[] window : activates) {
      Arrays.fill(window, Long.MIN_VALUE / 2);
    }
    activateHead = new int[d.ranks()];
    firstRefresh = refi - rp;
  }

  void resetCounts() {
    reads = 0;
    writes = 0;
    rowHits = 0;
    busBusy = 0;
  }

  @Override
  void warm(long line, boolean dirty) {}

  @Override
  void modified(long line) {}

  private static long fs(double nanoseconds) {
    return Math.round(nanoseconds * FS);
  }

  private int bank(long line) {
    return (int) (line >>> rowBits) & banks - 1;
  }

  private long row(long line) {
    return line >>> rowBits + bankBits;
  }

  @Override
  long read(
      long line, long time, long header, boolean write, int requestor, long pc, long address) {
    servedBy = number;
    servedDirty = false;
    servedShared = false;
    reads++;
    drain(time);
    for (int i = 0; i < queued; i++) {
      if (queue[i] == line) {
        return time + staticDelay / 2 + header;
      }
    }
    while (owed > 0 && queued > 0) {
      writeOne(time);
    }
    owed = 0;
    long early = beforeRowChange(line, time);
    if (early >= 0) {
      return early + cl + burst + staticDelay + header;
    }
    long at = access(line, Math.max(time, nextBurst - rp - rcd), true);
    if (queued > low) {
      draining = true;
    }
    return at + cl + burst + staticDelay + header;
  }

  @Override
  void write(long line, long time, long header, boolean dirty) {
    if (!dirty) {
      return;
    }
    writes++;
    drain(time);
    for (int i = 0; i < queued; i++) {
      if (queue[i] == line) {
        return;
      }
    }
    if (queued == queue.length) {
      writeOne(time);
    }
    queue[queued++] = line;
    if (queued > low && !draining) {
      draining = true;
      owed = batch;
    }
  }

  /// Lets queued writes go that start before `time`.
  private void drain(long time) {
    while (draining && queued > 0 && nextBurst - rp - rcd < time) {
      writeOne(Math.max(0, nextBurst - rp - rcd));
      if (queued + batch < low) {
        draining = false;
        owed = 0;
      }
    }
  }

  private void writeOne(long time) {
    int best = 0;
    long earliest = Long.MAX_VALUE;
    for (int i = 0; i < queued; i++) {
      int b = bank(queue[i]);
      if (openRow[b] == row(queue[i])) {
        best = i;
        break;
      }
      long activate = Math.max(activateAt[b], rankActivateAt[b / banksPerRank]);
      long start = Math.max(activate, openRow[b] < 0 ? 0 : prechargeAt[b] + rp);
      if (start < earliest) {
        earliest = start;
        best = i;
      }
    }
    long line = queue[best];
    System.arraycopy(queue, best + 1, queue, best, queued - best - 1);
    queued--;
    owed = Math.max(0, owed - 1);
    access(line, Math.max(time, nextBurst - rp - rcd), false);
  }

  /// First ready, first served: a read to the row that a bank had open when it last chose another
  /// is taken before that choice if it had come by then. Returns its column time, or -1.
  private long beforeRowChange(long line, long time) {
    int b = bank(line);
    if (previousRow[b] != row(line) || time > changedAt[b] || openRow[b] == previousRow[b]) {
      return -1;
    }
    long at = Math.max(time, previousColumn[b] + burst);
    previousColumn[b] = at;
    nextBurst += burst;
    busBusy += burst;
    rowHits++;
    return at;
  }

  private void refresh(long now) {
    if (now < firstRefresh) {
      return;
    }
    long due = (now - firstRefresh) / refi + 1;
    if (due > refreshes) {
      refreshes = due;
      long end = firstRefresh + (due - 1) * refi + rp + rfc;
      for (int b = 0; b < banks; b++) {
        openRow[b] = -1;
        activateAt[b] = Math.max(activateAt[b], end);
      }
    }
  }

  /// Does one burst and returns the time of its column command.
  private long access(long line, long now, boolean read) {
    refresh(now);
    int b = bank(line);
    long row = row(line);
    int rank = b / banksPerRank;
    if (openRow[b] == row) {
      rowHits++;
    } else {
      previousRow[b] = openRow[b];
      previousColumn[b] = column[b];
      changedAt[b] = now;
      if (openRow[b] >= 0) {
        activateAt[b] = Math.max(activateAt[b], Math.max(prechargeAt[b], now) + rp);
      }
      activate(b, rank, Math.max(Math.max(activateAt[b], rankActivateAt[rank]), now), row);
    }
    long ready = Math.max(columnAt[b], read ? rankReadAt[rank] : rankWriteAt[rank]);
    long at = Math.max(Math.max(ready, nextBurst), now);
    for (int r = 0; r < rankReadAt.length; r++) {
      boolean same = r == rank;
      long toRead = !same ? rankSwitch : read ? burst : writeToRead;
      long toWrite = !same ? rankSwitch : read ? readToWrite : burst;
      rankReadAt[r] = Math.max(rankReadAt[r], at + toRead);
      rankWriteAt[r] = Math.max(rankWriteAt[r], at + toWrite);
    }
    prechargeAt[b] = Math.max(prechargeAt[b], read ? at + rtp : at + cwl + burst + wr);
    column[b] = at;
    nextBurst = at + burst;
    busBusy += burst;
    if (++rowUses[b] == rowLimit) {
      openRow[b] = -1;
      activateAt[b] = Math.max(activateAt[b], prechargeAt[b] + rp);
    }
    return at;
  }

  private void activate(int b, int rank, long at, long row) {
    openRow[b] = row;
    rowUses[b] = 0;
    prechargeAt[b] = at + ras;
    columnAt[b] = Math.max(columnAt[b], at + rcd);
    long[] window = activates[rank];
    int head = activateHead[rank];
    window[head] = at;
    activateHead[rank] = head = (head + 1) & 3;
    long fourth = window[head] + faw;
    rankActivateAt[rank] = Math.max(rankActivateAt[rank], Math.max(at + rrd, fourth));
  }
}
