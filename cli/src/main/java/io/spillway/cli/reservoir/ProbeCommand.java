package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Spread;
import io.spillway.report.TextTable;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.protocol.Encoding;
import io.spillway.reservoir.protocol.KeptEncodings;
import io.spillway.reservoir.protocol.Probes;
import io.spillway.reservoir.protocol.Splits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir probe`: compares readouts on one liquid, with all recordings or a few of each class.
@Command(
    name = "probe",
    description = {
      "Compare readouts on the liquid's counts: over folds, or with a few recordings a class.",
      "The same command goes on after Ctrl-C or a kill: finished encodings lie in the folder of runs"
          + " until its end."
    })
public final class ProbeCommand extends SpillwayCommand {
  @Mixin private SetOptions set = new SetOptions();
  @Mixin private LiquidOptions options = new LiquidOptions();
  @Mixin private EngineOptions engine = new EngineOptions();

  @Option(
      names = "--readouts",
      split = ",",
      defaultValue = "ridge,linear,mlp,prototype",
      paramLabel = "NAMES",
      description = "Readouts, any of ${DEFAULT-VALUE}.")
  private List<String> readouts = List.of();

  @Option(
      names = "--shots",
      split = ",",
      paramLabel = "N,...",
      description = "Recordings of each class for training; the others are tested.")
  private List<Integer> shots = List.of();

  @Option(
      names = "--draws",
      defaultValue = "5",
      paramLabel = "N",
      description = "Draws of the shots; default ${DEFAULT-VALUE}.")
  private int draws = 5;

  @Option(
      names = "--folds",
      defaultValue = "5",
      paramLabel = "K",
      description = "Folds when no shots are given; default ${DEFAULT-VALUE}.")
  private int folds = 5;

  @Override
  protected void execute() {
    if (draws < 2 || draws > 1000) {
      throw SpillwayException.badInput("--draws %d, 2 to 1000 are possible", draws);
    }
    try (KeptEncodings kept = Keeping.beside(runsFolder().resolve("reservoir-probe"))) {
      probe(kept);
    }
  }

  private void probe(KeptEncodings kept) {
    List<Probes.Readout> chosen = readouts.stream().map(ProbeCommand::readout).toList();
    RecordingSet recordings = set.open(options.seed);
    Sensor sensor = recordings.read(0).sensor();
    Liquid liquid = new Liquid(options.liquid(sensor), options.framing(sensor));
    int[] labels = recordings.indices(recordings.classes());
    int classes = recordings.classes().size();
    Encoding encoding = Encoding.of(liquid, engine.engine(), recordings, kept, progress());
    Seeds seeds = new Seeds(options.seed);
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("recordings", recordings.size());
    results.put("firing_rate", encoding.firingRate(liquid));
    TextTable table = new TextTable("readout", "trained on", "accuracy (95 %)");
    for (Probes.Readout readout : chosen) {
      String name = readout.name().toLowerCase(Locale.ROOT);
      if (shots.isEmpty()) {
        Splits.Split[] splits = Splits.folds(labels, folds, seeds.stream("folds"));
        Spread found = Probes.folds(encoding.counts(), labels, classes, readout, splits, seeds);
        results.put(name, figures(found));
        table.row(name, folds + " folds", found.percent());
      }
      for (int n : shots) {
        Spread found = Probes.shots(encoding.counts(), labels, classes, readout, n, draws, seeds);
        results.put(name + "_" + n + "_shots", figures(found));
        table.row(name, n + " a class", found.percent());
      }
    }
    record(newRunFolder(), options.seed, results);
    kept.remove();
    answer(results, table);
  }

  static Map<String, Object> figures(Spread spread) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("mean", spread.mean());
    out.put("half_width_95", spread.halfWidth());
    out.put("values", spread.values());
    return out;
  }

  private static Probes.Readout readout(String name) {
    for (Probes.Readout r : Probes.Readout.values()) {
      if (r.name().equalsIgnoreCase(name.strip())) {
        return r;
      }
    }
    throw SpillwayException.badInput(
        "unknown readout '%s', known: ridge, linear, mlp, prototype", name);
  }
}
