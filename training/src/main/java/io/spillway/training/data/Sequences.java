package io.spillway.training.data;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;

/// Packed sequences of a token file in a shuffled order that is a function of the seed and the
/// sequence's number alone, so that a resumed run, or one on another number of ranks, sees the same
/// data.
///
/// **Source:** the order is a Feistel network over the sequence numbers with cycle walking (Black
/// and Rogaway 2002), with another key in each epoch.
public final class Sequences {
  private final TokenFile tokens;
  private final int length;
  private final long count;
  private final long held;
  private final Seeds seeds;

  /// @param length tokens of a sequence; each has one more for its last target
  /// @param heldOut sequences at the end that are for evaluation
  public Sequences(TokenFile tokens, int length, long heldOut, Seeds seeds) {
    this.tokens = tokens;
    this.length = length;
    this.seeds = seeds;
    long all = tokens.size() == 0 ? 0 : (tokens.size() - 1) / length;
    held = heldOut;
    count = all - heldOut;
    if (count < 1) {
      throw SpillwayException.badInput(
          "the data holds %d tokens, that is %d sequences of %d; after %d for evaluation none is left"
              + " to train on",
          tokens.size(), all, length, heldOut);
    }
  }

  /// Training sequences of one epoch.
  public long count() {
    return count;
  }

  /// Sequences for evaluation.
  public long heldOut() {
    return held;
  }

  /// Ids `[length + 1]` of the `number`-th sequence of the run, counting on through epochs.
  public long[] training(long number) {
    return read(permute(number % count, number / count));
  }

  /// Ids of an evaluation sequence.
  public long[] evaluation(long number) {
    return read(count + number);
  }

  private long[] read(long index) {
    long[] ids = new long[length + 1];
    for (int i = 0; i <= length; i++) {
      ids[i] = tokens.get(index * length + i);
    }
    return ids;
  }

  long permute(long index, long epoch) {
    int half = Math.max(1, (65 - Long.numberOfLeadingZeros(count - 1)) / 2);
    long mask = (1L << half) - 1;
    long[] keys = seeds.stream("data order", epoch).longs(4).toArray();
    long x = index;
    do {
      long left = x >>> half;
      long right = x & mask;
      for (long key : keys) {
        long mixed = (right ^ key) * 0x9E3779B97F4A7C15L;
        mixed ^= mixed >>> 29;
        long next = left ^ (mixed * 0xBF58476D1CE4E5B9L >>> 32 & mask);
        left = right;
        right = next;
      }
      x = left << half | right;
    } while (x >= count);
    return x;
  }
}
