package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.FunctionalRun;
import io.spillway.simulator.machine.Checkpoint;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `simulate restore`: continues from a checkpoint.
@Command(
    name = "restore",
    description = "Continue a program from a checkpoint; its exit status becomes this command's.")
public final class RestoreCommand extends SpillwayCommand {
  @Parameters(paramLabel = "FILE", description = "A file that `simulate checkpoint` wrote.")
  private Path file = Path.of("");

  @Option(
      names = "--root",
      paramLabel = "FOLDER",
      description = "The folder that the program sees as /, as when the checkpoint was made.")
  private @Nullable Path root;

  @Option(
      names = "--engine",
      defaultValue = "functional",
      description = "functional or interpreter. Default: ${DEFAULT-VALUE}.")
  private FunctionalRun.Kind engine = FunctionalRun.Kind.FUNCTIONAL;

  @Option(
      names = "--run",
      paramLabel = "N",
      description = "Stop after this many more instructions. Default: at the program's end.")
  private long run = Long.MAX_VALUE;

  private int status;

  @Override
  protected int exitStatus() {
    return status;
  }

  @Override
  protected void execute() {
    if (run < 1) {
      throw SpillwayException.badInput("--run %d is not positive", run);
    }
    ProcessOptions here = ProcessOptions.of().withInput(System.in);
    try (Machine machine = Checkpoint.read(file, root == null ? here : here.withRoot(root))) {
      long total = run == Long.MAX_VALUE ? run : machine.retired() + run;
      FunctionalRun.Outcome outcome = FunctionalRun.run(machine, engine, total, progress());
      status = outcome.exitStatus();
      Outcomes.report(outcome, json, quiet);
    }
  }
}
