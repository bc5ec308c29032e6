package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `simulate`: the parent of everything that runs programs on simulated cores.
@Command(
    name = "simulate",
    description = "Run RISC-V programs on simulated cores.",
    subcommands = {
      SimulateRunCommand.class,
      SimulateSweepCommand.class,
      SimulateCompareCommand.class,
      DisassembleCommand.class,
      CheckpointCommand.class,
      RestoreCommand.class
    })
public final class SimulateCommand extends SpillwayCommand {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  protected void execute() {
    CommandLine.usage(spec.commandLine(), System.out);
  }
}
