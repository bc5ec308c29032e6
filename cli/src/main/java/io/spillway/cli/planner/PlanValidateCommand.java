package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.validate.MemoryFit;
import io.spillway.planner.validate.Validation;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.platform.yaml.Yaml;
import io.spillway.report.Terminal;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Compares predictions with measurements.
@Command(
    name = "validate",
    description =
        "Compare predictions with measured runs (the CSV files of vTrain, Sailor and AMP).")
public final class PlanValidateCommand extends SpillwayCommand {
  @Parameters(paramLabel = "FILE.csv", description = "The measured runs.")
  private Path file = Path.of("");

  @Option(
      names = "--refit",
      description = "Fit the figures anew as well, with each model (or row) left out in turn.")
  private boolean refit;

  @Option(
      names = "--learner",
      defaultValue = "KERNEL",
      description =
          "Memory correction for --refit: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  private MemoryFit.Learner learner = MemoryFit.Learner.KERNEL;

  @Option(names = "--calibration", description = "YAML file with the cost model's figures.")
  private @Nullable Path calibration;

  @Option(names = "--seed", defaultValue = "1", description = "Seed of the learner (default 1).")
  private long seed;

  @Option(
      names = "--save-memory",
      description = "Learn the memory model from FILE.csv and write its figures for plan --memory.")
  private @Nullable Path saveMemory;

  @Override
  protected void execute() {
    Path own = calibration;
    Validation.Report report =
        Validation.of(
            file,
            own == null ? Calibration.builtIn() : Yaml.read(own, Calibration.class),
            refit,
            learner,
            new Seeds(seed));
    Path save = saveMemory;
    if (save != null) {
      AtomicFiles.writeString(save, Json.write(Validation.learnMemory(file)) + "\n");
    }
    answer(report.figures(), report.rows().render(Terminal.width()) + "\n" + report.text());
  }
}
