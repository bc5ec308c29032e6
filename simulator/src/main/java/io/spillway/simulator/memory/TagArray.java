package io.spillway.simulator.memory;

import io.spillway.simulator.system.CacheLevel;
import java.util.Arrays;

/// The tags of a cache and which line of a full set leaves. Ways are numbered through all sets.
final class TagArray {
  private final CacheLevel.Replacement replacement;
  private final int ways;
  private final int setMask;
  private final long[] tag;
  private final long[] stamp;

  /// The way that a set hit last.
  private final int[] recent;

  private long clock;
  private long random = 0x2545F4914F6CDD1DL;

  TagArray(int sets, int ways, CacheLevel.Replacement replacement) {
    this.replacement = replacement;
    this.ways = ways;
    this.setMask = sets - 1;
    this.tag = new long[sets * ways];
    Arrays.fill(tag, -1);
    this.stamp = new long[sets * ways];
    this.recent = new int[sets];
    Arrays.setAll(recent, set -> set * ways);
  }

  int size() {
    return tag.length;
  }

  /// The way that holds a line, or -1.
  int find(long line) {
    int set = (int) line & setMask;
    int last = recent[set];
    if (tag[last] == line) {
      return last;
    }
    int base = set * ways;
    for (int i = base; i < base + ways; i++) {
      if (tag[i] == line) {
        recent[set] = i;
        return i;
      }
    }
    return -1;
  }

  /// The line that a way holds, or -1.
  long line(int way) {
    return tag[way];
  }

  void clear(int way) {
    tag[way] = -1;
  }

  /// Puts a line into a way.
  void put(int way, long line) {
    tag[way] = line;
    stamp[way] = replacement == CacheLevel.Replacement.SRRIP ? 2 : ++clock;
  }

  /// Notes a use.
  void touch(int way) {
    switch (replacement) {
      case LRU -> stamp[way] = ++clock;
      case SRRIP -> stamp[way] = 0;
      case FIFO, RANDOM -> {}
    }
  }

  /// The way that a line goes to: a free one of its set, or the one whose line leaves.
  int victim(long line) {
    int base = ((int) line & setMask) * ways;
    int best = base;
    for (int i = base; i < base + ways; i++) {
      if (tag[i] == -1) {
        return i;
      }
      if (stamp[i] < stamp[best]) {
        best = i;
      }
    }
    return switch (replacement) {
      case LRU, FIFO -> best;
      case RANDOM -> {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        yield base + (int) ((random >>> 33) % ways);
      }
      case SRRIP -> distant(base);
    };
  }

  /// Ages the set until a line is predicted to be used in the distant future.
  private int distant(int base) {
    while (true) {
      for (int i = base; i < base + ways; i++) {
        if (stamp[i] >= 3) {
          return i;
        }
      }
      for (int i = base; i < base + ways; i++) {
        stamp[i]++;
      }
    }
  }
}
