package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `reservoir`: shows its sub-commands.
@Command(
    name = "reservoir",
    description = "Learn from events with a random reservoir on resistive memory.",
    subcommands = {
      EncodeCommand.class,
      TrainCommand.class,
      EvalCommand.class,
      ProbeCommand.class,
      TuneCommand.class,
      BaselineCommand.class,
      ZeroShotCommand.class,
      ConvertCommand.class,
      DrawCommand.class,
      InspectCommand.class,
      EnergyCommand.class
    })
public final class ReservoirCommand extends SpillwayCommand {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  protected void execute() {
    CommandLine.usage(spec.commandLine(), System.out);
  }
}
