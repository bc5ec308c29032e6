package io.spillway.simulator.timing;

import java.util.Arrays;

/// The stores of an out-of-order core that have executed and may not have reached the cache, by
/// number.
///
/// Stores that touch the same chunk of addresses are linked, youngest first. **Units:** core
/// cycles, bytes.
final class StoreWindow {
  private static final int CHUNK_BITS = 4;
  private static final int CHUNKS = 1 << 10;

  private final int limit;
  private final int mask;
  private final long[] address;
  private final int[] bytes;
  private final long[] executed;
  private final long[] sent;
  private final long[] before;
  private final long[] pc;
  private final long[] head = new long[CHUNKS];

  /// Stores so far; the number of the next one.
  long count;

  /// @param limit entries of the store queue
  StoreWindow(int limit) {
    this.limit = limit;
    int ring = Integer.highestOneBit(limit) << 2;
    mask = ring - 1;
    address = new long[ring];
    bytes = new int[ring];
    executed = new long[ring];
    sent = new long[ring];
    before = new long[ring];
    pc = new long[ring];
    Arrays.fill(head, -1);
  }

  /// Notes the next store; [#count] moves when it commits.
  void remember(long storePc, long storeAddress, int storeBytes, long cycle) {
    int i = (int) count & mask;
    address[i] = storeAddress;
    bytes[i] = storeBytes;
    executed[i] = cycle;
    pc[i] = storePc;
    sent[i] = Long.MAX_VALUE;
    int h = (int) (storeAddress >>> CHUNK_BITS) & CHUNKS - 1;
    before[i] = head[h];
    head[h] = count;
  }

  /// The next store has committed and goes to the cache in `cycle`.
  void commit(long cycle) {
    sent[(int) count & mask] = cycle;
    count++;
  }

  /// Whether store `s` is recent enough to be asked about.
  boolean holds(long s) {
    return s >= 0 && s >= count - mask;
  }

  long executed(long s) {
    return executed[(int) s & mask];
  }

  long sent(long s) {
    return sent[(int) s & mask];
  }

  long pc(long s) {
    return pc[(int) s & mask];
  }

  long address(long s) {
    return address[(int) s & mask];
  }

  int bytes(long s) {
    return bytes[(int) s & mask];
  }

  /// The youngest older store to the same chunks that a load executed in `cycle` would pass, or -1.
  long conflict(long at, int size, long cycle) {
    long found = -1;
    long last = at + size - 1 >>> CHUNK_BITS;
    for (long chunk = at >>> CHUNK_BITS; chunk <= last; chunk++) {
      long s = head[(int) chunk & CHUNKS - 1];
      while (s > count - limit && s >= 0) {
        int i = (int) s & mask;
        if (executed[i] > cycle
            && address[i] >>> CHUNK_BITS <= chunk
            && address[i] + bytes[i] - 1 >>> CHUNK_BITS >= chunk) {
          found = Math.max(found, s);
          break;
        }
        s = before[i];
      }
    }
    return found;
  }

  /// The youngest older store that overlaps and has not reached the cache by `cycle`, or -1.
  long overlapping(long at, int size, long cycle) {
    long s = head[(int) (at >>> CHUNK_BITS) & CHUNKS - 1];
    while (s > count - limit && s >= 0) {
      int i = (int) s & mask;
      if (address[i] < at + size && at < address[i] + bytes[i] && sent[i] > cycle) {
        return s;
      }
      s = before[i];
    }
    return -1;
  }

  /// Whether store `s` holds all bytes of a load.
  boolean covers(long s, long at, int size) {
    int i = (int) s & mask;
    return address[i] <= at && at + size <= address[i] + bytes[i];
  }
}
