package io.spillway.cli.simulator;

import io.spillway.platform.SpillwayException;
import io.spillway.simulator.machine.ProcessOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The options that say what program runs and what it sees.
final class ProgramOptions {
  @Parameters(index = "0", paramLabel = "PROGRAM", description = "A static RISC-V ELF program.")
  Path program = Path.of("");

  @Parameters(
      index = "1..*",
      paramLabel = "ARGS",
      description = "Its arguments; those that begin with a dash stand behind --.")
  List<String> arguments = new ArrayList<>();

  @Option(
      names = "--root",
      paramLabel = "FOLDER",
      description = "The folder that the program sees as /; without one it sees no files.")
  @Nullable Path root;

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "A variable of its environment; may be repeated. Default: none.")
  List<String> environment = new ArrayList<>();

  @Option(
      names = "--seed",
      description = "Seed of the random bytes that the system gives it. Default: ${DEFAULT-VALUE}.")
  long seed = 1;

  @Option(
      names = "--stack",
      paramLabel = "MIB",
      description = "Its stack in MiB, 1 to 4096. Default: ${DEFAULT-VALUE}.")
  int stackMib = 8;

  @Option(
      names = "--cpus",
      description = "Processors that it is told to have, 1 to 64. Default: ${DEFAULT-VALUE}.")
  int cpus = 4;

  ProcessOptions process() {
    if (stackMib < 1 || stackMib > 4096) {
      throw SpillwayException.badInput("--stack %d is not between 1 and 4096 MiB", stackMib);
    }
    if (cpus < 1 || cpus > 64) {
      throw SpillwayException.badInput("--cpus %d is not between 1 and 64", cpus);
    }
    for (String variable : environment) {
      if (variable.indexOf('=') < 1) {
        throw SpillwayException.badInput("--env %s is not NAME=VALUE", variable);
      }
    }
    List<String> all = new ArrayList<>();
    all.add(program.toString());
    all.addAll(arguments);
    return new ProcessOptions(
        all,
        environment,
        Optional.ofNullable(root),
        System.in,
        System.out,
        System.err,
        seed,
        (long) stackMib << 20,
        cpus);
  }
}
