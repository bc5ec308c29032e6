package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.FunctionalRun;
import io.spillway.simulator.machine.Checkpoint;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `simulate checkpoint`: runs to a point and keeps the machine in a file.
@Command(
    name = "checkpoint",
    description = "Run a program to a point and keep the whole machine in a file.")
public final class CheckpointCommand extends SpillwayCommand {
  @Mixin private ProgramOptions options = new ProgramOptions();

  @Option(
      names = "--skip",
      required = true,
      paramLabel = "N",
      description = "Instructions to execute before the checkpoint.")
  private long skip;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The checkpoint to write.")
  private Path output = Path.of("");

  @Override
  protected void execute() {
    if (skip < 0) {
      throw SpillwayException.badInput("--skip %d is negative", skip);
    }
    try (Machine machine = Machine.load(ElfImage.read(options.program), options.process())) {
      FunctionalRun.Outcome outcome =
          FunctionalRun.run(machine, FunctionalRun.Kind.FUNCTIONAL, skip, progress());
      if (outcome.finished() || outcome.fault().isPresent()) {
        throw SpillwayException.badInput(
            "the program ended after %d instructions, before --skip %d",
            outcome.instructions(), skip);
      }
      Checkpoint.write(machine, output);
      Outcomes.report(outcome, json, quiet);
    }
  }
}
