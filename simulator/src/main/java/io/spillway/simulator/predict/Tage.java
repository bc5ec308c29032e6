package io.spillway.simulator.predict;

import io.spillway.simulator.system.Direction;

/// Tagged tables with geometrically longer histories.
///
/// The history is a bit ring of which a slot keeps the position, so that a repair is one
/// assignment; folded histories are computed from the ring.
final class Tage extends DirectionPredictor {
  private static final int RING = 1 << 14;
  private static final int USEFUL_PERIOD = 1 << 18;

  private final int shift;
  private final int tables;
  private final int entryMask;
  private final int indexBits;
  private final int tagBits;
  private final int[] length;
  private final byte[] base;
  private final byte[][] counter;
  private final short[][] tag;
  private final byte[][] useful;
  private final long[] ring = new long[RING / 64];
  private int position;
  private long trained;

  private final int[] slotPosition = new int[SLOTS];

  Tage(Direction.Tage t, int shift) {
    this.shift = shift;
    tables = t.tables();
    entryMask = t.entries() - 1;
    indexBits = Math.max(1, Integer.numberOfTrailingZeros(t.entries()));
    tagBits = t.tagBits();
    length = new int[tables];
    for (int i = 0; i < tables; i++) {
      double share = tables == 1 ? 0 : (double) i / (tables - 1);
      length[i] =
          (int) Math.round(t.shortest() * Math.pow((double) t.longest() / t.shortest(), share));
    }
    base = new byte[t.base()];
    counter = new byte[tables][t.entries()];
    tag = new short[tables][t.entries()];
    useful = new byte[tables][t.entries()];
  }

  private void push(boolean taken) {
    int word = position >>> 6 & ring.length - 1;
    long bit = 1L << (position & 63);
    ring[word] = taken ? ring[word] | bit : ring[word] & ~bit;
    position++;
  }

  /// The `bits` that the last `length` outcomes before `end` fold to.
  private int fold(int end, int bits, int count) {
    int folded = 0;
    int chunk = 0;
    int filled = 0;
    for (int i = 1; i <= count; i++) {
      int at = end - i;
      chunk = chunk << 1 | (int) (ring[at >>> 6 & ring.length - 1] >>> (at & 63) & 1);
      if (++filled == bits) {
        folded ^= chunk;
        chunk = 0;
        filled = 0;
      }
    }
    return (folded ^ chunk) & (1 << bits) - 1;
  }

  private int index(long pc, int end, int table) {
    int address = (int) (pc >>> shift);
    return (address
            ^ address >>> (indexBits - table % indexBits)
            ^ fold(end, indexBits, length[table]))
        & entryMask;
  }

  private short tagOf(long pc, int end, int table) {
    int address = (int) (pc >>> shift);
    int folded = fold(end, tagBits, length[table]) ^ fold(end, tagBits - 1, length[table]) << 1;
    return (short) ((address ^ folded) & (1 << tagBits) - 1);
  }

  private int provider(long pc, int end, int below) {
    for (int t = below - 1; t >= 0; t--) {
      if (tag[t][index(pc, end, t)] == tagOf(pc, end, t)) {
        return t;
      }
    }
    return -1;
  }

  private boolean vote(long pc, int end, int table) {
    return table < 0
        ? base[(int) (pc >>> shift) & base.length - 1] > 1
        : counter[table][index(pc, end, table)] >= 0;
  }

  @Override
  boolean predict(long pc, int slot) {
    slotPosition[slot] = position;
    boolean taken = vote(pc, position, provider(pc, position, tables));
    push(taken);
    return taken;
  }

  @Override
  void unconditional(int slot) {
    slotPosition[slot] = position;
    push(true);
  }

  @Override
  void clear(long pc) {
    position--;
    push(false);
  }

  @Override
  void repair(long pc, int slot, boolean taken) {
    position = slotPosition[slot];
    push(taken);
  }

  @Override
  void undo(long pc, int slot) {
    position = slotPosition[slot];
  }

  @Override
  void train(long pc, int slot, boolean taken) {
    int end = slotPosition[slot];
    int table = provider(pc, end, tables);
    boolean said = vote(pc, end, table);
    if (table < 0) {
      Tournament.step(base, (int) (pc >>> shift) & base.length - 1, taken, 3);
    } else {
      int i = index(pc, end, table);
      boolean other = vote(pc, end, provider(pc, end, table));
      counter[table][i] = move(counter[table][i], taken);
      if (said != other) {
        Tournament.step(useful[table], i, said == taken, 3);
      }
    }
    if (said != taken && table < tables - 1) {
      allocate(pc, end, table + 1, taken);
    }
    if (++trained % USEFUL_PERIOD == 0) {
      for (byte[] row : useful) {
        for (int i = 0; i < row.length; i++) {
          row[i] >>= 1;
        }
      }
    }
  }

  private void allocate(long pc, int end, int from, boolean taken) {
    for (int t = from; t < tables; t++) {
      int i = index(pc, end, t);
      if (useful[t][i] == 0) {
        tag[t][i] = tagOf(pc, end, t);
        counter[t][i] = (byte) (taken ? 0 : -1);
        return;
      }
    }
    for (int t = from; t < tables; t++) {
      Tournament.step(useful[t], index(pc, end, t), false, 3);
    }
  }

  private static byte move(byte value, boolean taken) {
    return (byte) (taken ? Math.min(3, value + 1) : Math.max(-4, value - 1));
  }
}
