package io.spillway.reservoir.protocol;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Spread;
import io.spillway.reservoir.learn.Classifier;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.learn.GradientReadout;
import io.spillway.reservoir.learn.Prototypes;
import io.spillway.reservoir.learn.RidgeReadout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Readouts compared on one liquid's counts: on all the training recordings of each fold, or on a
/// few of each class.
public final class Probes {
  private static final double FEW_PENALTY = .3;

  private Probes() {}

  /// A readout under comparison.
  public enum Readout {
    /// Least squares in closed form, its penalty chosen inside the training part.
    RIDGE,
    /// A linear classifier by gradient: the linear probe.
    LINEAR,
    /// One hidden layer by gradient.
    MLP,
    /// Nearest class mean.
    PROTOTYPE
  }

  /// Accuracy over folds.
  public static Spread folds(
      Counts counts,
      int[] labels,
      int classes,
      Readout readout,
      Splits.Split[] splits,
      Seeds seeds) {
    double[] out = new double[splits.length];
    for (int f = 0; f < splits.length; f++) {
      out[f] = score(counts, labels, classes, readout, splits[f], false, seeds.stream("probe", f));
    }
    return Spread.of(out);
  }

  /// Accuracy with `shots` recordings of each class, over `draws` draws of them; every other
  /// recording is tested.
  public static Spread shots(
      Counts counts,
      int[] labels,
      int classes,
      Readout readout,
      int shots,
      int draws,
      Seeds seeds) {
    double[] out = new double[draws];
    for (int d = 0; d < draws; d++) {
      Splits.Split split = few(labels, classes, shots, seeds.stream("shots", d));
      out[d] = score(counts, labels, classes, readout, split, true, seeds.stream("probe", d));
    }
    return Spread.of(out);
  }

  /// `shots` recordings of each class for training, the others for the test.
  static Splits.Split few(int[] labels, int classes, int shots, RandomGenerator random) {
    int[] taken = new int[classes];
    List<Integer> train = new ArrayList<>();
    List<Integer> test = new ArrayList<>();
    for (int i : Splits.shuffled(labels.length, random)) {
      if (taken[labels[i]] < shots) {
        taken[labels[i]]++;
        train.add(i);
      } else {
        test.add(i);
      }
    }
    for (int c = 0; c < classes; c++) {
      int of = c;
      long all = Arrays.stream(labels).filter(l -> l == of).count();
      if (shots < 1 || shots >= all) {
        throw SpillwayException.badInput(
            "%d shots of class %d, which has %d recordings; 1 to %d are possible",
            shots, c, all, all - 1);
      }
    }
    return new Splits.Split(
        train.stream().mapToInt(i -> i).toArray(), test.stream().mapToInt(i -> i).toArray());
  }

  private static double score(
      Counts counts,
      int[] labels,
      int classes,
      Readout readout,
      Splits.Split split,
      boolean few,
      RandomGenerator random) {
    Counts train = counts.select(split.train());
    int[] known = Splits.pick(labels, split.train());
    Classifier trained =
        switch (readout) {
          case RIDGE ->
              few
                  ? RidgeReadout.fit(train, known, classes, FEW_PENALTY)[0]
                  : ReadoutTrainer.train(train, known, classes, random).readout();
          case LINEAR ->
              GradientReadout.fit(train, known, classes, GradientReadout.Settings.LINEAR, random);
          case MLP ->
              GradientReadout.fit(train, known, classes, GradientReadout.Settings.MLP, random);
          case PROTOTYPE -> Prototypes.fit(train, known, classes);
        };
    int[] predicted = trained.predict(counts.select(split.test()));
    return ReadoutTrainer.accuracy(predicted, Splits.pick(labels, split.test()));
  }
}
