package io.spillway.simulator.predict;

/// One table of counters, selected by address alone (bimodal) or by address and global history
/// (gshare).
///
/// **Source:** McFarling, Combining branch predictors, WRL TN-36, 1993.
final class Counters extends DirectionPredictor {
  private final int shift;
  private final byte[] counters;
  private final int max;
  private final boolean hashed;
  private int history;
  private final int[] slotHistory = new int[SLOTS];

  Counters(int size, int bits, int shift, boolean hashed) {
    this.shift = shift;
    this.counters = new byte[size];
    this.max = (1 << bits) - 1;
    this.hashed = hashed;
  }

  private int index(long pc, int before) {
    int address = (int) (pc >>> shift);
    return (hashed ? address ^ before : address) & (counters.length - 1);
  }

  @Override
  boolean predict(long pc, int slot) {
    boolean taken = counters[index(pc, history)] > max >> 1;
    slotHistory[slot] = history;
    history = history << 1 | (taken ? 1 : 0);
    return taken;
  }

  @Override
  void unconditional(int slot) {
    slotHistory[slot] = history;
    history = history << 1 | 1;
  }

  @Override
  void clear(long pc) {
    history &= ~1;
  }

  @Override
  void repair(long pc, int slot, boolean taken) {
    history = slotHistory[slot] << 1 | (taken ? 1 : 0);
  }

  @Override
  void undo(long pc, int slot) {
    history = slotHistory[slot];
  }

  @Override
  void train(long pc, int slot, boolean taken) {
    Tournament.step(counters, index(pc, slotHistory[slot]), taken, max);
  }
}
