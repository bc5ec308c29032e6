package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.TextTable;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.protocol.Splits;
import io.spillway.reservoir.protocol.Tuning;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir tune`: scale and leak by firing rate or memory capacity.
@Command(
    name = "tune",
    description =
        "Find the liquid's input scale and leak by firing rate or by memory capacity, on the fifth"
            + " of the recordings that training keeps for validation. Labels are not looked at.")
public final class TuneCommand extends SpillwayCommand {
  @Mixin private SetOptions set = new SetOptions();
  @Mixin private LiquidOptions options = new LiquidOptions();

  @Option(
      names = "--by",
      defaultValue = "memory",
      paramLabel = "GOAL",
      description = "memory (the largest capacity) or rate; default ${DEFAULT-VALUE}.")
  private String by = "memory";

  @Option(
      names = "--rate",
      defaultValue = "0.1",
      paramLabel = "X",
      description = "Firing rate sought, spikes a neuron and step; default ${DEFAULT-VALUE}.")
  private double rate = .1;

  @Option(
      names = "--scales",
      split = ",",
      defaultValue = "0.03,0.1,0.3,1,2",
      paramLabel = "X,...",
      description = "Input scales to try; default ${DEFAULT-VALUE}.")
  private List<Double> scales = List.of();

  @Option(
      names = "--leaks",
      split = ",",
      defaultValue = "0.8,0.9,0.95",
      paramLabel = "X,...",
      description = "Leaks to try; default ${DEFAULT-VALUE}.")
  private List<Double> leaks = List.of();

  @Option(
      names = "--recordings",
      defaultValue = "60",
      paramLabel = "N",
      description = "Validation recordings used at most; default ${DEFAULT-VALUE}.")
  private int recordings = 60;

  @Override
  protected void execute() {
    Tuning.Goal goal =
        switch (by) {
          case "memory" -> new Tuning.Goal.Memory();
          case "rate" -> new Tuning.Goal.FiringRate(rate);
          default -> throw SpillwayException.badInput("--by %s, known: memory, rate", by);
        };
    RecordingSet all = set.open(options.seed);
    int[] labels = all.indices(all.classes());
    int[] kept = Splits.holdOut(labels, .2, new Seeds(options.seed).stream("validation")).test();
    if (recordings < 2 || kept.length < 2) {
      throw SpillwayException.badInput(
          "%d validation recordings of %d, 2 at least are needed",
          Math.min(recordings, kept.length), all.size());
    }
    RecordingSet validation = all.select(Arrays.copyOf(kept, Math.min(recordings, kept.length)));
    Sensor sensor = validation.read(0).sensor();
    List<Tuning.Trial> trials =
        Tuning.run(
            validation, options.liquid(sensor), options.framing(sensor), scales, leaks, progress());
    Tuning.Trial best = Tuning.best(trials, goal);
    TextTable table = new TextTable("input scale", "leak", "firing rate", "memory, steps", "");
    for (Tuning.Trial t : trials) {
      table.row(
          t.inputScale(),
          t.leak(),
          String.format("%.1f %%", 100 * t.firingRate()),
          String.format("%.2f", t.memory()),
          t.equals(best) ? "best" : "");
    }
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("recordings", validation.size());
    results.put("trials", trials);
    results.put("best", best);
    record(newRunFolder(), options.seed, results);
    answer(
        results,
        String.format(
            "%s%nbest: --input-scale %s --leak %s",
            table.render(), best.inputScale(), best.leak()));
  }
}
