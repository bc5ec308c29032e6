package io.spillway.reservoir.protocol;

import io.spillway.platform.SpillwayException;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/// Divisions of recordings into parts for training, choice and test.
public final class Splits {
  private Splits() {}

  /// One division.
  public record Split(int[] train, int[] test) {}

  /// The numbers `0 .. n - 1` in random order.
  public static int[] shuffled(int n, RandomGenerator random) {
    int[] order = new int[n];
    Arrays.setAll(order, i -> i);
    for (int i = n - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    return order;
  }

  /// `k` divisions whose test parts are disjoint and cover everything, each class spread evenly.
  public static Split[] folds(int[] labels, int k, RandomGenerator random) {
    if (k < 2 || k > labels.length) {
      throw SpillwayException.badInput("%d folds of %d recordings", k, labels.length);
    }
    int[] order = shuffled(labels.length, random);
    int[] fold = new int[labels.length];
    int[] next = new int[Arrays.stream(labels).max().orElse(0) + 1];
    for (int i : order) {
      fold[i] = (next[labels[i]]++ + labels[i]) % k;
    }
    Split[] out = new Split[k];
    for (int f = 0; f < k; f++) {
      int test = f;
      out[f] =
          new Split(
              Arrays.stream(order).filter(i -> fold[i] != test).toArray(),
              Arrays.stream(order).filter(i -> fold[i] == test).toArray());
    }
    return out;
  }

  /// A share of every class for the test part.
  public static Split holdOut(int[] labels, double share, RandomGenerator random) {
    int k = Math.max(2, (int) Math.round(1 / share));
    return folds(labels, k, random)[0];
  }

  /// The labels named.
  public static int[] pick(int[] labels, int[] which) {
    return Arrays.stream(which).map(i -> labels[i]).toArray();
  }
}
