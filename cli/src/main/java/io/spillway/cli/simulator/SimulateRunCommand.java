package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Hertz;
import io.spillway.simulator.FunctionalRun;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
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

  @Option(
      names = "--system",
      paramLabel = "NAME|FILE",
      description =
          "Timing on this system: minor, o3, paper-baseline, paper-core, paper-core-l1,"
              + " paper-core-l1-l2, paper-core-l1-l2-l3, paper-everything,"
              + " paper-in-order-baseline, paper-in-order-core, paper-in-order-everything,"
              + " desktop, or a YAML file. Default: none, no timing.")
  private @Nullable String system;

  @Option(
      names = "--clock",
      paramLabel = "RATE",
      description =
          "The rate that 'fast' stands for in the system, for example 16GHz. Default: the file's.")
  private @Nullable String clock;

  @Option(
      names = "--skip",
      defaultValue = "0",
      paramLabel = "N",
      description =
          "With --system: first execute N instructions that only warm caches. Default:"
              + " ${DEFAULT-VALUE}.")
  private long skip;

  @Option(
      names = "--warm",
      defaultValue = "0",
      paramLabel = "N",
      description =
          "With --system: then N instructions with timing that is not counted. Default:"
              + " ${DEFAULT-VALUE}.")
  private long warm;

  @Option(
      names = "--sample-every",
      defaultValue = "0",
      paramLabel = "N",
      description =
          "With --system: measure --run instructions of every N after --warm, and estimate the"
              + " whole with a confidence interval. Default: ${DEFAULT-VALUE}, measure once.")
  private long sampleEvery;

  @Option(
      names = "--plots",
      paramLabel = "FOLDER",
      description =
          "With --system: write the cycle stack and bandwidth plots there. Default: none.")
  private @Nullable Path plots;

  private int status;

  /// Reads a line of the plainest form, `[--json] [--quiet] [--run N] PROGRAM [ARGS]` with no
  /// further word that begins with a dash or an at sign, without the library that reads every
  /// other: its model of a command takes a third of the start of a short run.
  ///
  /// @param words the line behind `simulate run`
  /// @return empty where the line says more
  public static Optional<SimulateRunCommand> plain(List<String> words) {
    SimulateRunCommand command = new SimulateRunCommand();
    int at = 0;
    for (; at < words.size() && words.get(at).startsWith("--"); at++) {
      switch (words.get(at)) {
        case "--json" -> command.json = true;
        case "--quiet" -> command.quiet = true;
        case "--run" -> {
          at++;
          if (at == words.size() || !words.get(at).matches("[1-9][0-9]{0,17}")) {
            return Optional.empty();
          }
          command.run = Long.parseLong(words.get(at));
        }
        default -> {
          return Optional.empty();
        }
      }
    }
    List<String> rest = words.subList(at, words.size());
    if (rest.isEmpty()
        || rest.stream().anyMatch(w -> w.isEmpty() || "-@\"'".indexOf(w.charAt(0)) >= 0)) {
      return Optional.empty();
    }
    command.options.program = Path.of(rest.get(0));
    command.options.arguments = new ArrayList<>(rest.subList(1, rest.size()));
    return Optional.of(command);
  }

  @Override
  protected int exitStatus() {
    return status;
  }

  @Override
  protected void execute() {
    if (run < 1) {
      throw SpillwayException.badInput("--run %d is not positive", run);
    }
    if (system != null) {
      timing(system);
      return;
    }
    try (Machine machine = Machine.load(ElfImage.read(options.program), options.process())) {
      FunctionalRun.Outcome outcome = FunctionalRun.run(machine, engine, run, progress());
      status = outcome.exitStatus();
      Outcomes.report(outcome, json, quiet);
    }
  }

  private void timing(String name) {
    SystemDescription chosen = SystemFiles.load(name);
    if (clock != null) {
      chosen = chosen.at(Hertz.parse(clock));
    }
    TimingRun.Window window = new TimingRun.Window(skip, warm, run, sampleEvery);
    try (Machine machine = Machine.load(ElfImage.read(options.program), options.process())) {
      TimingResult result = new TimingRun(chosen, machine).run(window, progress());
      status = result.exitStatus();
      System.out.flush();
      if (plots != null) {
        TimingReport.plots(Map.of(result.system(), result), plots);
      }
      if (json) {
        System.out.println(Json.write(result));
      } else if (!quiet) {
        System.err.print(TimingReport.text(result));
      }
    }
  }
}
