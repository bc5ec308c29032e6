package io.spillway.simulator.timing;

import java.util.Arrays;

/// The cycles at which the entries of a queue leave it, for cycles asked in order.
///
/// A ring counts the entries that leave in each of the next cycles and a bit map says which of its
/// cells are in use, so that entries enter and leave in constant time; the few that stay longer
/// than the ring reaches wait in a list. Entries that have left are only taken out when the queue
/// looks full.
final class ReleaseCalendar {
  private static final int RING = 1 << 14;
  private static final int MASK = RING - 1;

  private final int capacity;
  private int size;

  /// Entries that leave up to this cycle are gone.
  private long now;

  private final short[] leaving = new short[RING];
  private final long[] used = new long[RING / 64];
  private final long[] far;
  private int farCount;

  // ---- of the last question to roomBeside: entries held beside, those that leave by the answer
  private int asked = Integer.MAX_VALUE;
  private int gone;
  private long answer;

  ReleaseCalendar(int capacity) {
    this.capacity = capacity;
    this.far = new long[capacity + 1];
  }

  /// The first cycle from `cycle` on at which an entry is free. `cycle` never falls.
  long room(long cycle) {
    if (size < capacity) {
      return cycle;
    }
    drop(cycle);
    return size < capacity ? cycle : takeEarliest();
  }

  /// Holds an entry until `release`.
  void add(long release) {
    if (release <= now) {
      return;
    }
    size++;
    asked = Integer.MAX_VALUE;
    if (release - now >= RING) {
      far[farCount++] = release;
    } else {
      mark(release);
    }
  }

  /// The first cycle from `cycle` on at which an entry is free while `more` further ones are held.
  /// Changes nothing but what it remembers of the last answer: asked with more and more, it goes on
  /// from there.
  long roomBeside(int more, long cycle) {
    if (size + more < capacity) {
      return cycle;
    }
    if (more < asked) {
      asked = 0;
      gone = 0;
      answer = now;
    }
    asked = more;
    int surplus = size + more - capacity;
    for (long c = answer + 1; surplus >= gone && c - now < RING; c++) {
      int slot = (int) c & MASK;
      long word = used[slot >>> 6] & -1L << slot;
      if (word == 0) {
        c |= 63;
        answer = c;
        continue;
      }
      int ahead = Long.numberOfTrailingZeros(word) - (slot & 63);
      c += ahead;
      gone += leaving[slot + ahead];
      answer = c;
    }
    return Math.max(cycle, surplus < gone ? answer : now + RING);
  }

  private void mark(long release) {
    int slot = (int) release & MASK;
    leaving[slot]++;
    used[slot >>> 6] |= 1L << slot;
  }

  /// Takes out what has left by `cycle`, which never falls.
  void drop(long cycle) {
    if (cycle <= now) {
      return;
    }
    if (cycle - now >= RING) {
      Arrays.fill(leaving, (short) 0);
      Arrays.fill(used, 0);
      size = farCount;
    } else {
      dropNear(cycle);
    }
    now = cycle;
    asked = Integer.MAX_VALUE;
    if (farCount > 0) {
      comeNear();
    }
  }

  private void dropNear(long cycle) {
    for (long c = now + 1; c <= cycle; ) {
      int slot = (int) c & MASK;
      int bits = 64 - (slot & 63);
      long mask = -1L << slot;
      if (cycle - c + 1 < bits) {
        mask &= -1L >>> 64 - (slot & 63) - (int) (cycle - c + 1);
      }
      long word = used[slot >>> 6] & mask;
      used[slot >>> 6] &= ~mask;
      while (word != 0) {
        int cell = (slot & ~63) + Long.numberOfTrailingZeros(word);
        size -= leaving[cell];
        leaving[cell] = 0;
        word &= word - 1;
      }
      c += bits;
    }
  }

  /// Moves what the ring reaches by now out of the list.
  private void comeNear() {
    int kept = 0;
    for (int i = 0; i < farCount; i++) {
      if (far[i] <= now) {
        size--;
      } else if (far[i] - now < RING) {
        mark(far[i]);
      } else {
        far[kept++] = far[i];
      }
    }
    farCount = kept;
  }

  private long takeEarliest() {
    asked = Integer.MAX_VALUE;
    for (int k = 0; k <= RING / 64; k++) {
      long c = k == 0 ? now + 1 : (now + 1 & ~63L) + k * 64L;
      int slot = (int) c & MASK;
      long word = used[slot >>> 6] & -1L << slot;
      if (word != 0) {
        int cell = (slot & ~63) + Long.numberOfTrailingZeros(word);
        if (--leaving[cell] == 0) {
          used[cell >>> 6] &= ~(1L << cell);
        }
        size--;
        return c + (cell - slot);
      }
    }
    int first = 0;
    for (int i = 1; i < farCount; i++) {
      if (far[i] < far[first]) {
        first = i;
      }
    }
    long release = far[first];
    far[first] = far[--farCount];
    size--;
    return release;
  }
}
