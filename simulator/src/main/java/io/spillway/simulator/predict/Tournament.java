package io.spillway.simulator.predict;

import io.spillway.simulator.system.Direction;

/// Local and global predictions and a chooser.
///
/// **Source:** Kessler, The Alpha 21264 microprocessor, IEEE Micro 1999, in gem5's form: the
/// chooser is selected by the global history, all tables share one speculative history.
final class Tournament extends DirectionPredictor {
  private static final int NO_LOCAL = -1;

  private final int shift;
  private final int[] localHistory;
  private final byte[] local;
  private final byte[] global;
  private final byte[] choice;
  private final int localMask;
  private final int historyMask;
  private final int localMax;
  private final int globalMax;
  private final int choiceMax;
  private int history;

  private final int[] slotHistory = new int[SLOTS];
  private final int[] slotLocal = new int[SLOTS];
  private final byte[] slotVotes = new byte[SLOTS];

  Tournament(Direction.Tournament t, int shift) {
    this.shift = shift;
    localHistory = new int[t.localHistories()];
    local = new byte[t.localCounters()];
    global = new byte[t.globalCounters()];
    choice = new byte[t.choiceCounters()];
    localMask = local.length - 1;
    historyMask = Math.max(global.length, choice.length) - 1;
    localMax = (1 << t.localBits()) - 1;
    globalMax = (1 << t.globalBits()) - 1;
    choiceMax = (1 << t.choiceBits()) - 1;
  }

  @Override
  boolean predict(long pc, int slot) {
    int index = (int) (pc >>> shift) & (localHistory.length - 1);
    int pattern = localHistory[index] & localMask;
    boolean localVote = local[pattern] > localMax >> 1;
    boolean globalVote = global[history & (global.length - 1)] > globalMax >> 1;
    boolean useGlobal = choice[history & (choice.length - 1)] > choiceMax >> 1;
    boolean taken = useGlobal ? globalVote : localVote;
    slotHistory[slot] = history;
    slotLocal[slot] = pattern;
    slotVotes[slot] = (byte) ((localVote ? 1 : 0) | (globalVote ? 2 : 0));
    int bit = taken ? 1 : 0;
    history = (history << 1 | bit) & historyMask;
    localHistory[index] = localHistory[index] << 1 | bit;
    return taken;
  }

  @Override
  void unconditional(int slot) {
    slotHistory[slot] = history;
    slotLocal[slot] = NO_LOCAL;
    slotVotes[slot] = 3;
    history = (history << 1 | 1) & historyMask;
  }

  @Override
  void clear(long pc) {
    history &= ~1;
    int index = (int) (pc >>> shift) & (localHistory.length - 1);
    localHistory[index] &= localMask & ~1;
  }

  @Override
  void repair(long pc, int slot, boolean taken) {
    int bit = taken ? 1 : 0;
    history = (slotHistory[slot] << 1 | bit) & historyMask;
    if (slotLocal[slot] != NO_LOCAL) {
      localHistory[(int) (pc >>> shift) & (localHistory.length - 1)] = slotLocal[slot] << 1 | bit;
    }
  }

  @Override
  void undo(long pc, int slot) {
    history = slotHistory[slot];
    if (slotLocal[slot] != NO_LOCAL) {
      localHistory[(int) (pc >>> shift) & (localHistory.length - 1)] = slotLocal[slot];
    }
  }

  @Override
  void train(long pc, int slot, boolean taken) {
    int before = slotHistory[slot];
    int pattern = slotLocal[slot];
    boolean localVote = (slotVotes[slot] & 1) != 0;
    boolean globalVote = (slotVotes[slot] & 2) != 0;
    if (localVote != globalVote && pattern != NO_LOCAL) {
      step(choice, before & (choice.length - 1), globalVote == taken, choiceMax);
    }
    step(global, before & (global.length - 1), taken, globalMax);
    if (pattern != NO_LOCAL) {
      step(local, pattern & localMask, taken, localMax);
    }
  }

  static void step(byte[] counters, int index, boolean up, int max) {
    int value = counters[index];
    if (up) {
      if (value < max) {
        counters[index] = (byte) (value + 1);
      }
    } else if (value > 0) {
      counters[index] = (byte) (value - 1);
    }
  }
}
