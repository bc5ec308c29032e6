package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.FunctionalRun;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `simulate run`: one program on one system.
@Command(name = "run", description = "Run a program; its exit status becomes this command's.")
public final class SimulateRunCommand extends SpillwayCommand {
  @Mixin private ProgramOptions options = new ProgramOptions();

  @Option(
      names = "--engine",
      defaultValue = "functional",
      description =
          "functional (fast, no timing) or interpreter (its slow reference). Default:"
              + " ${DEFAULT-VALUE}.")
  private FunctionalRun.Kind engine = FunctionalRun.Kind.FUNCTIONAL;

  @Option(
      names = "--run",
      paramLabel = "N",
      description = "Stop after this many instructions. Default: at the program's end.")
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
    try (Machine machine = Machine.load(ElfImage.read(options.program), options.process())) {
      FunctionalRun.Outcome outcome = FunctionalRun.run(machine, engine, run);
      status = outcome.exitStatus();
      Outcomes.report(outcome, json, quiet);
    }
  }
}
