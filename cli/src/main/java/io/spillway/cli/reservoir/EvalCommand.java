package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Seeds;
import io.spillway.report.TextTable;
import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.ReservoirTrainer;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.ArrayReadout;
import io.spillway.reservoir.learn.Classifier;
import io.spillway.reservoir.protocol.KeptEncodings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir eval`: tests a model on labelled recordings.
@Command(
    name = "eval",
    description = {
      "Test a trained model on labelled recordings.",
      "The same command goes on after Ctrl-C or a kill: finished encodings lie in the folder of runs"
          + " until its end."
    })
public final class EvalCommand extends SpillwayCommand {
  @Mixin private SetOptions set = new SetOptions();
  @Mixin private EngineOptions engine = new EngineOptions();

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "FILE",
      description = "A model of reservoir train.")
  private Path model = Path.of("");

  @Option(
      names = "--readout-memory",
      paramLabel = "NAME",
      description =
          "Program the readout's weights into this memory too (names and files as for --memory of"
              + " train): errors of programming, drift, noise, drivers of 7 and converters of 9 bits"
              + " unless a file says otherwise.")
  private @Nullable String readoutMemory;

  @Override
  protected void execute() {
    try (KeptEncodings kept = Keeping.beside(runsFolder().resolve("reservoir-eval"))) {
      evaluate(kept);
    }
  }

  private void evaluate(KeptEncodings kept) {
    DeviceModel array = readoutMemory == null ? null : ArrayReadout.device(readoutMemory);
    ReservoirModel loaded = ReservoirModel.load(model);
    RecordingSet recordings = set.open(loaded.config().seed());
    ReservoirTrainer.Evaluation result =
        ReservoirTrainer.evaluate(
            loaded, readout(loaded, array), recordings, engine.engine(), kept, progress());
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("recordings", recordings.size());
    results.put("accuracy", result.accuracy());
    results.put("classes", loaded.classes());
    if (readoutMemory != null) {
      results.put("readout_memory", readoutMemory);
    }
    results.put("confusion", result.confusion());
    results.put("spikes_per_recording", result.spikes() / (double) recordings.size());
    record(newRunFolder(), loaded.config().seed(), results);
    kept.remove();
    TextTable table = new TextTable("class", "recordings", "named rightly", "most often taken for");
    for (int c = 0; c < loaded.classes().size(); c++) {
      int total = 0;
      int wrong = -1;
      for (int k = 0; k < loaded.classes().size(); k++) {
        total += result.confusion()[c][k];
        if (k != c && result.confusion()[c][k] > (wrong < 0 ? 0 : result.confusion()[c][wrong])) {
          wrong = k;
        }
      }
      table.row(
          loaded.classes().get(c),
          total,
          total == 0 ? "-" : String.format("%.1f %%", 100.0 * result.confusion()[c][c] / total),
          wrong < 0 ? "-" : loaded.classes().get(wrong));
    }
    answer(
        results,
        String.format(
            "accuracy %.2f %% on %d recordings%n%n%s",
            100 * result.accuracy(), recordings.size(), table.render()));
  }

  private static Classifier readout(ReservoirModel model, @Nullable DeviceModel array) {
    return array == null
        ? model.readout()
        : ArrayReadout.program(
            model.readout(), array, new Seeds(model.config().seed()).stream("readout-array"));
  }
}
