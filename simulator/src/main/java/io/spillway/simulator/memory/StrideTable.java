package io.spillway.simulator.memory;

import io.spillway.simulator.system.Prefetcher;
import java.util.Arrays;

/// Strides by instruction, with a saturating count of trust each.
///
/// **Source:** the classic reference prediction table (Chen and Baer, 1995) in the form that gem5's
/// stride prefetcher gives it: hashed sets, random victims; one table for whoever asks.
final class StrideTable {
  /// Prefetches stay within the page of the access that causes them.
  private static final int PAGE_BITS = 12;

  private final int degree;
  private final int lineBytes;
  private final int lineBits;
  private final int ways;
  private final int setMask;
  private final int setBits;
  private final int largest;
  private final int initial;
  private final double threshold;
  private final long[] tag;
  private final long[] last;
  private final long[] stride;
  private final byte[] trust;
  private long random = 0x9E3779B97F4A7C15L;

  StrideTable(Prefetcher settings, int lineBytes) {
    this.lineBytes = lineBytes;
    lineBits = Integer.numberOfTrailingZeros(lineBytes);
    degree = settings.degree();
    ways = settings.ways();
    int sets = settings.entries() / ways;
    setMask = sets - 1;
    setBits = Integer.numberOfTrailingZeros(sets);
    largest = (1 << settings.confidenceBits()) - 1;
    initial = settings.initialConfidence();
    threshold = settings.threshold();
    tag = new long[settings.entries()];
    Arrays.fill(tag, -1);
    last = new long[settings.entries()];
    stride = new long[settings.entries()];
    trust = new byte[settings.entries()];
  }

  /// How many lines it asks for at most.
  int degree() {
    return degree;
  }

  /// Learns an access and says which lines to fetch ahead of it, nearest first.
  ///
  /// @param lines takes them, `[degree]`
  /// @return how many there are
  int ahead(long pc, long address, long[] lines) {
    long follow = learn(pc, address);
    if (follow == 0) {
      return 0;
    }
    if (Math.abs(follow) < lineBytes) {
      follow = follow < 0 ? -lineBytes : lineBytes;
    }
    int n = 0;
    while (n < degree) {
      long target = address + (n + 1) * follow;
      if ((target ^ address) >>> PAGE_BITS != 0) {
        break;
      }
      lines[n++] = target >>> lineBits;
    }
    return n;
  }

  /// Learns an access and returns the stride to follow, 0 for none.
  private long learn(long pc, long address) {
    long hash = pc >> 1;
    int base = (int) ((hash ^ (hash >> setBits)) & setMask) * ways;
    for (int i = base; i < base + ways; i++) {
      if (tag[i] == pc) {
        return follow(i, address);
      }
    }
    int victim = base;
    int way = 0;
    while (way < ways && tag[base + way] != -1) {
      way++;
    }
    if (way < ways) {
      victim = base + way;
    } else {
      random ^= random << 13;
      random ^= random >>> 7;
      random ^= random << 17;
      victim = base + (int) ((random >>> 33) % ways);
    }
    tag[victim] = pc;
    last[victim] = address;
    stride[victim] = 0;
    trust[victim] = (byte) initial;
    return 0;
  }

  private long follow(int i, long address) {
    long seen = address - last[i];
    if (seen == stride[i] && seen != 0) {
      if (trust[i] < largest) {
        trust[i]++;
      }
    } else {
      if (trust[i] > 0) {
        trust[i]--;
      }
      if (trust[i] < threshold * largest) {
        stride[i] = seen;
      }
    }
    last[i] = address;
    return trust[i] < threshold * largest ? 0 : seen;
  }
}
