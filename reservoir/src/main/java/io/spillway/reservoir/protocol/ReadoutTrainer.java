package io.spillway.reservoir.protocol;

import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.learn.RidgeReadout;
import java.util.random.RandomGenerator;

/// Trains a ridge readout whose penalty is chosen on a part of the training set.
public final class ReadoutTrainer {
  private static final double[] PENALTIES = {.001, .003, .01, .03, .1, .3, 1, 3};

  private ReadoutTrainer() {}

  /// A readout and how it was chosen.
  ///
  /// @param readout trained on all recordings given
  /// @param validation accuracy of the chosen penalty on the part that was kept apart for the
  ///   choice
  public record Trained(RidgeReadout readout, double validation) {}

  /// Chooses the penalty on a tenth (with many recordings) or a fifth of them, then trains on all.
  public static Trained train(Counts counts, int[] labels, int classes, RandomGenerator random) {
    double share = labels.length > 5000 ? .1 : .2;
    Splits.Split split = Splits.holdOut(labels, share, random);
    double[] penalties =
        counts.width() > 3000 && labels.length > counts.width()
            ? new double[] {.001, .01, .1}
            : PENALTIES;
    RidgeReadout[] tried =
        RidgeReadout.fit(
            counts.select(split.train()), Splits.pick(labels, split.train()), classes, penalties);
    Counts kept = counts.select(split.test());
    int[] truth = Splits.pick(labels, split.test());
    int best = 0;
    double accuracy = -1;
    for (int p = 0; p < tried.length; p++) {
      double a = accuracy(tried[p].predict(kept), truth);
      if (a >= accuracy) {
        accuracy = a;
        best = p;
      }
    }
    RidgeReadout readout = RidgeReadout.fit(counts, labels, classes, penalties[best])[0];
    return new Trained(readout, accuracy);
  }

  /// Share of equal labels.
  public static double accuracy(int[] predicted, int[] truth) {
    int right = 0;
    for (int i = 0; i < truth.length; i++) {
      right += predicted[i] == truth[i] ? 1 : 0;
    }
    return truth.length == 0 ? Double.NaN : right / (double) truth.length;
  }
}
