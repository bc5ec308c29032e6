package io.spillway.cli.training;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.report.TextTable;
import io.spillway.tensor.Torch;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.TimelineSvg;
import io.spillway.training.run.ModelSource;
import io.spillway.training.run.ScheduleComparison;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `spillway train compare`: runs a few real steps under every schedule.
@Command(
    name = "compare",
    description =
        "Trains a few steps on random tokens under each schedule and shows the time of every phase"
            + " beside the prediction, what the link carried, and whether the weights are the same.")
public final class TrainCompareCommand extends SpillwayCommand {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR|config.json",
      description = "The model's folder or config.json; weights are not read.")
  Path model = Path.of("");

  @Option(
      names = "--schedules",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "auto,auto:0,stride:2,twinflow,zero-offload,all-gpu",
      description =
          "Schedules as --schedule takes them; auto:0 is the best one that keeps nothing on the"
              + " device, twinflow the one that keeps all that fits (default: ${DEFAULT-VALUE}).")
  List<String> schedules = new ArrayList<>();

  @Option(
      names = "--steps",
      defaultValue = "5",
      description = "Measured steps of each, after two that warm up (default: ${DEFAULT-VALUE}).")
  int steps;

  @Option(
      names = "--deterministic",
      description =
          "Passes that give the same bits each time, to compare final weights on a GPU (set"
              + " CUBLAS_WORKSPACE_CONFIG=:4096:8 too); slower.")
  boolean deterministic;

  @Option(
      names = "--timeline",
      paramLabel = "FILE.svg",
      description = "Draw the last two steps of the last schedule that ran.")
  Optional<Path> timeline = Optional.empty();

  @Mixin TrainOptions options = new TrainOptions();

  @Override
  protected void execute() {
    if (steps < 1) {
      throw SpillwayException.badInput("--steps %d, at least 1", steps);
    }
    if (deterministic) {
      Torch.deterministic(true);
    }
    try (ScheduleComparison comparison =
        new ScheduleComparison(
            ModelSource.shape(model),
            options.trainDevice(),
            options.settings(steps),
            options.threads(),
            options.hostBytes(),
            progress())) {
      Map<String, ScheduleComparison.Row> rows = new LinkedHashMap<>();
      Map<String, String> refused = new LinkedHashMap<>();
      for (String name : schedules) {
        try {
          rows.put(name, comparison.run(comparison.schedule(name), steps, true));
        } catch (SpillwayException e) {
          refused.put(name, String.valueOf(e.getMessage()));
        }
      }
      if (rows.isEmpty()) {
        throw SpillwayException.doesNotFit("no schedule could run: %s", refused);
      }
      timeline.ifPresent(file -> TimelineSvg.write(comparison.timeline(), "measured", file));
      if (comparison.isFirstRank()) {
        answer(comparison.summary(rows, refused), text(comparison, rows, refused));
      }
    }
  }

  private static String text(
      ScheduleComparison comparison,
      Map<String, ScheduleComparison.Row> rows,
      Map<String, String> refused) {
    TextTable table =
        new TextTable(
            "schedule",
            "CPU",
            "streamed",
            "resident",
            "step",
            "predicted",
            "error",
            "forward",
            "backward",
            "update",
            "bare update",
            "Gparam/s",
            "up GB/s",
            "down GB/s",
            "device",
            "host",
            "weights");
    rows.forEach((name, r) ->
        table.row(
            name,
            number("%.3f", r.cpu()),
            number("%.3f", r.streamed()),
            number("%.3f", r.resident()),
            new Seconds(r.seconds()),
            new Seconds(r.predictedSeconds()),
            number("%+.1f %%", 100 * (r.seconds() / r.predictedSeconds() - 1)),
            new Seconds(r.forwardSeconds()),
            new Seconds(r.backwardSeconds()),
            new Seconds(r.updateSeconds()),
            new Seconds(r.bareUpdateSeconds()),
            number("%.2f", comparison.owned() / r.bareUpdateSeconds() / 1e9),
            number("%.1f", r.upBytes() / r.bareUpdateSeconds() / 1e9),
            number("%.1f", r.downBytes() / r.bareUpdateSeconds() / 1e9),
            new Bytes(r.deviceBytes()),
            new Bytes(r.hostBytes()),
            r.weightsChecksum()));
    Rates busy = comparison.rates().together();
    Rates alone = comparison.rates().alone();
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%,d parameters, %,d of them updated here, on %s%n",
            comparison.parameters(),
            comparison.owned(),
            comparison.device().description()));
    out.append(table.render());
    out.append(rates("all at once", busy)).append(rates("link or CPU alone", alone));
    refused.forEach(
        (name, why) -> out.append(name).append(" did not run: ").append(why).append('\n'));
    return out.toString().stripTrailing();
  }

  private static String rates(String when, Rates r) {
    return String.format(
        Locale.ROOT,
        "rates, %s: up %.1f GB/s, down %.1f GB/s, CPU update %.2f, device update %.1f Gparam/s%n",
        when,
        r.hostToDevice() / 1e9,
        r.deviceToHost() / 1e9,
        r.cpuUpdate() / 1e9,
        r.deviceUpdate() / 1e9);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
