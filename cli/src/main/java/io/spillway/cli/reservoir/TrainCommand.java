package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.TextTable;
import io.spillway.reservoir.ReservoirTrainer;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.protocol.CrossValidation;
import io.spillway.reservoir.protocol.KeptEncodings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir train`: encodes recordings and fits the readout.
@Command(
    name = "train",
    description = {
      "Encode labelled recordings with the liquid and train the readout on its spikes.",
      "The same command goes on after Ctrl-C or a kill: finished encodings lie in"
          + " MODEL.encoding-... (with --folds in the folder of runs) until the model is written."
    })
public final class TrainCommand extends SpillwayCommand {
  @Mixin private SetOptions set = new SetOptions();
  @Mixin private LiquidOptions options = new LiquidOptions();
  @Mixin private EngineOptions engine = new EngineOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "The model to write.")
  private @Nullable Path output;

  @Option(
      names = "--folds",
      paramLabel = "K",
      description = "Cross-validate with K folds instead of training one model.")
  private @Nullable Integer folds;

  @Override
  protected void execute() {
    if ((output == null) == (folds == null)) {
      throw SpillwayException.badInput("give either --output FILE or --folds K");
    }
    Path beside = output == null ? runsFolder().resolve("reservoir-train") : output;
    try (KeptEncodings kept = Keeping.beside(beside)) {
      train(kept);
    }
  }

  private void train(KeptEncodings kept) {
    RecordingSet recordings = set.open(options.seed);
    Sensor sensor = recordings.read(0).sensor();
    Map<String, Object> results = new LinkedHashMap<>();
    TextTable table = new TextTable("figure", "value");
    results.put("recordings", recordings.size());
    results.put("classes", recordings.classes());
    if (folds != null) {
      CrossValidation.Result result =
          CrossValidation.run(
              recordings,
              options.liquid(sensor),
              options.framing(sensor),
              engine.engine(),
              folds,
              new Seeds(options.seed),
              kept,
              progress());
      results.put("folds", result.accuracy().values());
      results.put("accuracy", result.accuracy().mean());
      results.put("accuracy_half_width_95", result.accuracy().halfWidth());
      results.put("firing_rate", result.firingRate());
      table.row("recordings", recordings.size());
      table.row("folds", folds);
      table.row("accuracy", result.accuracy().percent());
      table.row(
          "firing rate", String.format("%.1f %% of neurons a step", 100 * result.firingRate()));
    } else if (output != null) {
      ReservoirTrainer.Result result =
          ReservoirTrainer.train(
              recordings,
              options.liquid(sensor),
              options.framing(sensor),
              engine.engine(),
              new Seeds(options.seed),
              kept,
              progress());
      result.model().save(output);
      results.put("validation_accuracy", result.validation());
      results.put("firing_rate", result.firingRate());
      results.put("parameters", result.model().readout().parameters());
      results.put("penalty", result.model().readout().penalty());
      results.put("model", output.toString());
      table.row("recordings", recordings.size());
      table.row(
          "accuracy on held-out training data",
          String.format("%.2f %%", 100 * result.validation()));
      table.row(
          "firing rate", String.format("%.1f %% of neurons a step", 100 * result.firingRate()));
      table.row("trained parameters", result.model().readout().parameters());
      table.row("model", output);
    }
    Path folder = newRunFolder();
    record(folder, options.seed, results);
    kept.remove();
    answer(results, table);
  }
}
