package io.spillway.reservoir;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Classifier;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.protocol.Encoding;
import io.spillway.reservoir.protocol.KeptEncodings;
import io.spillway.reservoir.protocol.ReadoutTrainer;
import java.util.List;

/// Trains and tests a reservoir on sets of recordings.
public final class ReservoirTrainer {
  private ReservoirTrainer() {}

  /// A trained model and what is known of it.
  ///
  /// @param model the model, trained on every recording given
  /// @param validation accuracy of the chosen penalty on recordings kept apart for the choice
  /// @param firingRate spikes a neuron and step
  /// @param recordings how many it was trained on
  public record Result(
      ReservoirModel model, double validation, double firingRate, int recordings) {}

  /// What a test found.
  ///
  /// @param accuracy share of recordings named rightly
  /// @param confusion `[truth][answer]`
  /// @param predicted the answer to each recording, as a place in the model's classes
  /// @param spikes spikes of the liquid in all
  /// @param inputSpikes spikes that came in
  public record Evaluation(
      double accuracy, int[][] confusion, int[] predicted, long spikes, long inputSpikes) {}

  /// Trains on a set; the penalty is chosen inside it.
  public static Result train(
      RecordingSet set,
      LiquidConfig config,
      Framing framing,
      Engine engine,
      Seeds seeds,
      Progress progress) {
    return train(set, config, framing, engine, seeds, KeptEncodings.none(), progress);
  }

  /// The same, resumable: finished encodings are kept.
  public static Result train(
      RecordingSet set,
      LiquidConfig config,
      Framing framing,
      Engine engine,
      Seeds seeds,
      KeptEncodings kept,
      Progress progress) {
    List<String> classes = set.classes();
    int[] labels = set.indices(classes);
    Liquid liquid = new Liquid(config, framing);
    Encoding encoding = Encoding.of(liquid, engine, set, kept, progress);
    ReadoutTrainer.Trained trained =
        ReadoutTrainer.train(encoding.counts(), labels, classes.size(), seeds.stream("validation"));
    return new Result(
        new ReservoirModel(config, framing, classes, trained.readout(), liquid),
        trained.validation(),
        encoding.firingRate(liquid),
        set.size());
  }

  /// Tests a model on a set.
  public static Evaluation evaluate(
      ReservoirModel model, RecordingSet set, Engine engine, Progress progress) {
    return evaluate(model, model.readout(), set, engine, KeptEncodings.none(), progress);
  }

  /// Tests a model on a set with another readout in the place of its own; resumable.
  public static Evaluation evaluate(
      ReservoirModel model,
      Classifier readout,
      RecordingSet set,
      Engine engine,
      KeptEncodings kept,
      Progress progress) {
    int[] truth = set.indices(model.classes());
    Encoding encoding = Encoding.of(model.liquid(), engine, set, kept, progress);
    int[] predicted = readout.predict(encoding.counts());
    int[][] confusion = new int[model.classes().size()][model.classes().size()];
    for (int i = 0; i < truth.length; i++) {
      confusion[truth[i]][predicted[i]]++;
    }
    return new Evaluation(
        ReadoutTrainer.accuracy(predicted, truth),
        confusion,
        predicted,
        encoding.spikes(),
        encoding.inputSpikes());
  }
}
