package io.spillway.reservoir.protocol;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Encoder;
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
      int folds,
      Seeds seeds,
      Progress progress) {
    List<String> classes = set.classes();
    int[] labels = set.indices(classes);
    Splits.Split[] splits = Splits.folds(labels, folds, seeds.stream("folds"));
    Liquid liquid = new Liquid(config, framing);
    Counts counts =
        Counts.of(Encoder.encode(liquid, set.size(), i -> framing.frames(set.read(i)), progress));
    double spikes = 0;
    for (int i = 0; i < counts.size(); i++) {
      for (int j = 0; j < counts.width(); j++) {
        spikes += counts.at(i, j);
      }
    }
    double rate = spikes / counts.size() / config.neurons() / framing.steps();
    return new Result(score(counts, labels, classes.size(), splits, seeds), rate);
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
