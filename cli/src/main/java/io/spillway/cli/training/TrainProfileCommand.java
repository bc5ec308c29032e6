package io.spillway.cli.training;

import io.spillway.cli.SpillwayCommand;
import io.spillway.report.TextTable;
import io.spillway.training.run.Profile;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `spillway train profile`: measures what the performance model rests on.
@Command(
    name = "profile",
    description =
        "Measures link rates one way and both ways, the CPU update by threads, the device update,"
            + " down-casting and host memory bandwidth.")
public final class TrainProfileCommand extends SpillwayCommand {
  @Mixin TrainOptions options = new TrainOptions();

  @Override
  protected void execute() {
    Profile profile =
        Profile.measure(
            options.trainDevice(),
            options.settings(1),
            Math.max(options.threads(), Runtime.getRuntime().availableProcessors()));
    TextTable table = new TextTable("quantity", "rate", "unit");
    profile
        .rows()
        .forEach(row ->
            table.row(
                row.quantity(), String.format(Locale.ROOT, "%.3f", row.value() / 1e9), row.unit()));
    answer(profile, profile.device() + "\n" + table.render());
  }
}
