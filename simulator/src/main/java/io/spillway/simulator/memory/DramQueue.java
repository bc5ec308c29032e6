package io.spillway.simulator.memory;

import java.util.Arrays;

/// Requests of one direction that wait in a memory controller, in the order of their arrival.
///
/// What comes while the queue is full waits before it and cannot be chosen.
final class DramQueue {
  private final int capacity;
  private long[] lines;
  private long[] ids;
  private int size;

  DramQueue(int capacity) {
    this.capacity = capacity;
    lines = new long[capacity];
    ids = new long[capacity];
  }

  int size() {
    return size;
  }

  long line(int i) {
    return lines[i];
  }

  long id(int i) {
    return ids[i];
  }

  void add(long line, long id) {
    if (size == lines.length) {
      lines = Arrays.copyOf(lines, 2 * size);
      ids = Arrays.copyOf(ids, 2 * size);
    }
    lines[size] = line;
    ids[size++] = id;
  }

  void remove(int i) {
    System.arraycopy(lines, i + 1, lines, i, size - i - 1);
    System.arraycopy(ids, i + 1, ids, i, size - i - 1);
    size--;
  }

  boolean holds(long line) {
    for (int i = 0; i < size; i++) {
      if (lines[i] == line) {
        return true;
      }
    }
    return false;
  }

  void copyFrom(DramQueue other) {
    if (lines.length < other.size) {
      lines = new long[other.lines.length];
      ids = new long[other.lines.length];
    }
    System.arraycopy(other.lines, 0, lines, 0, other.size);
    System.arraycopy(other.ids, 0, ids, 0, other.size);
    size = other.size;
  }

  /// First ready, first come, first served. Of the requests that wait, in this order: the oldest to
  /// an open row that the bus can take without a gap; the one whose row can be opened soonest, if
  /// that too leaves no gap; the oldest to an open row; the one whose row can be opened soonest.
  ///
  /// @return its place
  int firstReady(DramBanks banks, boolean read, long now) {
    long floor = Math.max(banks.nextBurst(), now);
    int open = -1;
    int closed = -1;
    boolean closedIsSeamless = false;
    long activate = Long.MAX_VALUE;
    for (int i = 0; i < Math.min(size, capacity); i++) {
      boolean seamless = banks.columnTime(lines[i], read, now) <= floor;
      if (banks.isOpen(lines[i])) {
        if (seamless) {
          return i;
        }
        open = open < 0 ? i : open;
        continue;
      }
      long at = banks.activateTime(lines[i], now);
      if (seamless == closedIsSeamless ? at < activate : seamless) {
        closed = i;
        closedIsSeamless = seamless;
        activate = at;
      }
    }
    return open >= 0 && !closedIsSeamless ? open : closed;
  }

  /// Whether the row of a line is better closed: no other request wants it and one wants another
  /// row of its bank.
  boolean wantsClosed(DramBanks banks, long line) {
    boolean conflict = false;
    for (int i = 0; i < Math.min(size, capacity); i++) {
      if (banks.bank(lines[i]) == banks.bank(line)) {
        if (banks.row(lines[i]) == banks.row(line)) {
          return false;
        }
        conflict = true;
      }
    }
    return conflict;
  }
}
