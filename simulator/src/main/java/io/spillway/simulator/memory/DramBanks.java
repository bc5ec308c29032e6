package io.spillway.simulator.memory;

import io.spillway.simulator.system.Dram;
import java.util.Arrays;

/// The banks, ranks and data bus of one DRAM channel: which rows are open and from when on each
/// command may be given.
///
/// **Units:** femtoseconds. **Source:** the timing rules of JEDEC DDR3; addresses are split into
/// row, rank and bank, column, from high to low.
final class DramBanks {
  private static final double FS = 1e6;
  private static final long LONG_AGO = Long.MIN_VALUE / 2;
  private static final int NONE = -1;

  private final int banksPerRank;
  private final int banks;
  private final int rowBits;
  private final int bankBits;
  final long burst;
  final long cl;
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
  private final int rowLimit;

  // ---- of a bank
  private final long[] openRow;
  private final int[] rowUses;
  private final long[] columnAt;
  private final long[] prechargeAt;
  private final long[] activateAt;

  // ---- of a rank
  private final long[] readAt;
  private final long[] writeAt;
  private final long[] rankActivateAt;

  /// The last four activates of each rank, and where the oldest stands.
  private final long[] activates;

  private final int[] oldest;

  private long nextBurst;
  private long nextRefresh;

  long rowHits;
  long busBusy;

  DramBanks(Dram d) {
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
    rowLimit = d.rowAccesses();
    openRow = new long[banks];
    Arrays.fill(openRow, NONE);
    rowUses = new int[banks];
    columnAt = new long[banks];
    prechargeAt = new long[banks];
    activateAt = new long[banks];
    readAt = new long[d.ranks()];
    writeAt = new long[d.ranks()];
    rankActivateAt = new long[d.ranks()];
    activates = new long[4 * d.ranks()];
    Arrays.fill(activates, LONG_AGO);
    oldest = new int[d.ranks()];
    nextRefresh = refi - rp;
  }

  static long fs(double nanoseconds) {
    return Math.round(nanoseconds * FS);
  }

  /// Takes over another's state; both are of the same description.
  void copyFrom(DramBanks other) {
    System.arraycopy(other.openRow, 0, openRow, 0, banks);
    System.arraycopy(other.rowUses, 0, rowUses, 0, banks);
    System.arraycopy(other.columnAt, 0, columnAt, 0, banks);
    System.arraycopy(other.prechargeAt, 0, prechargeAt, 0, banks);
    System.arraycopy(other.activateAt, 0, activateAt, 0, banks);
    int ranks = oldest.length;
    System.arraycopy(other.readAt, 0, readAt, 0, ranks);
    System.arraycopy(other.writeAt, 0, writeAt, 0, ranks);
    System.arraycopy(other.rankActivateAt, 0, rankActivateAt, 0, ranks);
    System.arraycopy(other.activates, 0, activates, 0, activates.length);
    System.arraycopy(other.oldest, 0, oldest, 0, ranks);
    nextBurst = other.nextBurst;
    nextRefresh = other.nextRefresh;
    rowHits = other.rowHits;
    busBusy = other.busBusy;
  }

  /// The bank of a line, over all ranks.
  int bank(long line) {
    return (int) (line >>> rowBits) & banks - 1;
  }

  long row(long line) {
    return line >>> rowBits + bankBits;
  }

  boolean isOpen(long line) {
    return openRow[bank(line)] == row(line);
  }

  /// From when on the data bus can take a burst.
  long nextBurst() {
    return nextBurst;
  }

  /// When the next access should be chosen: late enough to know what there is to choose from, early
  /// enough to change the row behind the burst under way.
  long nextChoice() {
    return nextBurst - rp - rcd;
  }

  /// The earliest activate for a line whose row is closed.
  long activateTime(long line, long now) {
    int b = bank(line);
    long open = Math.max(activateAt[b], rankActivateAt[b / banksPerRank]);
    if (openRow[b] != NONE) {
      open = Math.max(open, Math.max(prechargeAt[b], now) + rp);
    }
    return Math.max(open, now);
  }

  /// The earliest column command for a line, were there no burst before it.
  long columnTime(long line, boolean read, long now) {
    int b = bank(line);
    int rank = b / banksPerRank;
    long allowed = Math.max(columnAt[b], read ? readAt[rank] : writeAt[rank]);
    return isOpen(line) ? allowed : Math.max(allowed, activateTime(line, now) + rcd);
  }

  /// When the column command of a line would go if it were chosen at `now`.
  long burstTime(long line, boolean read, long now) {
    return Math.max(Math.max(columnTime(line, read, now), nextBurst), now);
  }

  boolean refreshIsDue(long now) {
    return now >= nextRefresh;
  }

  /// Closes every row where a refresh has become due.
  void refresh(long now) {
    if (!refreshIsDue(now)) {
      return;
    }
    // the latest of those that have come due decides
    long start = nextRefresh + (now - nextRefresh) / refi * refi;
    nextRefresh = start + refi;
    for (int b = 0; b < banks; b++) {
      openRow[b] = NONE;
      activateAt[b] = Math.max(activateAt[b], start + rp + rfc);
    }
  }

  /// Moves one burst and returns the time of its column command.
  long access(long line, boolean read, long now) {
    int b = bank(line);
    int rank = b / banksPerRank;
    if (isOpen(line)) {
      rowHits++;
    } else {
      activate(b, rank, activateTime(line, now), row(line));
    }
    long at = burstTime(line, read, now);
    for (int r = 0; r < readAt.length; r++) {
      boolean same = r == rank;
      long toRead = !same ? rankSwitch : read ? burst : writeToRead;
      long toWrite = !same ? rankSwitch : read ? readToWrite : burst;
      readAt[r] = Math.max(readAt[r], at + toRead);
      writeAt[r] = Math.max(writeAt[r], at + toWrite);
    }
    prechargeAt[b] = Math.max(prechargeAt[b], read ? at + rtp : at + cwl + burst + wr);
    nextBurst = at + burst;
    busBusy += burst;
    if (++rowUses[b] == rowLimit) {
      close(line);
    }
    return at;
  }

  /// Closes the row of a line as soon as that may be.
  void close(long line) {
    int b = bank(line);
    if (openRow[b] != NONE) {
      openRow[b] = NONE;
      activateAt[b] = Math.max(activateAt[b], prechargeAt[b] + rp);
    }
  }

  private void activate(int b, int rank, long at, long row) {
    openRow[b] = row;
    rowUses[b] = 0;
    prechargeAt[b] = at + ras;
    columnAt[b] = Math.max(columnAt[b], at + rcd);
    int last = 4 * rank + oldest[rank];
    activates[last] = at;
    oldest[rank] = oldest[rank] + 1 & 3;
    long fourth = activates[4 * rank + oldest[rank]] + faw;
    rankActivateAt[rank] = Math.max(rankActivateAt[rank], Math.max(at + rrd, fourth));
  }
}
