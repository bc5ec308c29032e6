package io.spillway.longcontext.own;

import io.spillway.longcontext.tasks.Task;
import java.util.random.RandomGenerator;

/// What the rows of a step hold: how often each task comes, by how badly it is solved so far.
///
/// @param copies share of rows that repeat a run of random tokens, which teaches copying first
/// @param shares by the task's ordinal, of any sum
record Mix(double copies, double[] shares) {
  /// Tasks that are solved still come this often beside an unsolved one.
  private static final double LEAST = 0.15;

  static Mix of(double copies, double[] accuracy) {
    double[] shares = new double[Task.values().length];
    for (Task task : Task.values()) {
      // a wrong answer in a hundred still counts much
      double wrong = Math.sqrt(Math.max(0, 1 - accuracy[task.ordinal()]));
      shares[task.ordinal()] = (LEAST + wrong) * rarity(task);
    }
    return new Mix(copies, shares);
  }

  /// Rows of some tasks hold few answers.
  private static double rarity(Task task) {
    return switch (task) {
      case COMMON_WORDS, FREQUENT_WORDS, VARIABLES -> 2;
      case PASSKEY, NUMBER, KV, SINGLE_KEY, MULTI_KEY, MULTI_VALUE, MULTI_QUERY, MULTI_TURN -> 1;
    };
  }

  Task pick(RandomGenerator random) {
    double sum = 0;
    for (double share : shares) {
      sum += share;
    }
    double at = random.nextDouble() * sum;
    for (Task task : Task.values()) {
      at -= shares[task.ordinal()];
      if (at < 0) {
        return task;
      }
    }
    return Task.values()[shares.length - 1];
  }
}
