package io.spillway.reservoir.protocol;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Spread;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import java.util.List;

/// Tests a reservoir on every recording once, each time trained without its fold.
public final class CrossValidation {
  private CrossValidation() {}

  /// What came out.
  ///
  /// @param accuracy over the folds
  /// @param firingRate spikes a neuron and step
  public record Result(Spread accuracy, double firingRate) {}

  /// Encodes once, then trains and tests fold by fold; penalties are chosen inside each training
  /// part.
  public static Result run(
      RecordingSet set,
      LiquidConfig config,
      Framing framing,
      Engine engine,
      int folds,
      Seeds seeds,
      Progress progress) {
    return run(set, config, framing, engine, folds, seeds, KeptEncodings.none(), progress);
  }

  /// The same, resumable: finished encodings are kept.
  public static Result run(
      RecordingSet set,
      LiquidConfig config,
      Framing framing,
      Engine engine,
      int folds,
      Seeds seeds,
      KeptEncodings kept,
      Progress progress) {
    List<String> classes = set.classes();
    int[] labels = set.indices(classes);
    Splits.Split[] splits = Splits.folds(labels, folds, seeds.stream("folds"));
    Liquid liquid = new Liquid(config, framing);
    Encoding encoding = Encoding.of(liquid, engine, set, kept, progress);
    Spread accuracy = score(encoding.counts(), labels, classes.size(), splits, seeds);
    return new Result(accuracy, encoding.firingRate(liquid));
  }

  /// Trains and tests on counts that are there already.
  public static Spread score(
      Counts counts, int[] labels, int classes, Splits.Split[] splits, Seeds seeds) {
    double[] accuracy = new double[splits.length];
    for (int f = 0; f < splits.length; f++) {
      ReadoutTrainer.Trained trained =
          ReadoutTrainer.train(
              counts.select(splits[f].train()),
              Splits.pick(labels, splits[f].train()),
              classes,
              seeds.stream("validation", f));
      accuracy[f] =
          ReadoutTrainer.accuracy(
              trained.readout().predict(counts.select(splits[f].test())),
              Splits.pick(labels, splits[f].test()));
    }
    return Spread.of(accuracy);
  }
}
