package io.spillway.cli.training;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.report.TextTable;
import io.spillway.training.plan.TimelineSvg;
import io.spillway.training.run.ModelSource;
import io.spillway.training.run.SchedulePlan;
import io.spillway.training.run.TrainDevice;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `spillway train plan`: predicts a step under every schedule.
@Command(
    name = "plan",
    description =
        "Predicts the time and memory of a step under every schedule and draws the timeline of the"
            + " chosen one (streams as rows).")
public final class TrainPlanCommand extends SpillwayCommand {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR|config.json",
      description = "The model's folder or config.json; weights are not read.")
  Path model = Path.of("");

  @Option(
      names = "--forward",
      required = true,
      description = "Forward pass of one micro-batch, for example 0.2s.")
  String forward = "";

  @Option(
      names = "--backward",
      required = true,
      description = "Backward pass of one micro-batch, for example 0.4s.")
  String backward = "";

  @Option(
      names = "--timeline",
      paramLabel = "FILE.svg",
      description = "Draw two predicted steps of the chosen split.")
  Optional<Path> timeline = Optional.empty();

  @Mixin TrainOptions options = new TrainOptions();

  @Override
  protected void execute() {
    TrainDevice device = options.trainDevice();
    if (!device.offloads()) {
      throw SpillwayException.badInput(
          "train plan needs a device; add --device cuda or --simulate-device"
              + " memory=80GiB,link=55GB/s,update=5e10");
    }
    SchedulePlan plan =
        SchedulePlan.of(
            ModelSource.shape(model),
            device,
            options.settings(1),
            Seconds.parse(forward).seconds(),
            Seconds.parse(backward).seconds(),
            options.threads());
    timeline.ifPresent(
        file -> TimelineSvg.write(plan.chosen().prediction().timeline(), "predicted", file));
    TextTable table =
        new TextTable("schedule", "step", "exposed", "device memory", "host memory", "fits");
    for (SchedulePlan.Row row : plan.rows()) {
      table.row(
          row.name(),
          new Seconds(row.stepSeconds()),
          new Seconds(row.exposedSeconds()),
          new Bytes(row.deviceBytes()),
          new Bytes(row.hostBytes()),
          row.fits() ? "yes" : "no");
    }
    answer(
        plan.summary(),
        table.render()
            + String.format(
                Locale.ROOT,
                "chosen: %.3f of the parameters on the CPU, %.3f resident (closed form: %.3f)%n"
                    + "rates: %s",
                plan.chosen().schedule().cpu(),
                plan.chosen().schedule().resident(),
                plan.chosen().closedFormCpu(),
                plan.note()));
  }
}
