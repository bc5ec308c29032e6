package io.spillway.cli.simulator;

import io.spillway.cli.SweepingCommand;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Hertz;
import io.spillway.report.TextTable;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import io.spillway.sweep.Sweep;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `simulate sweep`: systems x clocks x programs.
@Command(
    name = "sweep",
    description =
        "Run programs on systems at clock rates, in parallel; the same call goes on after a stop.")
public final class SimulateSweepCommand extends SweepingCommand {
  /// A point's work: plain values in, JSON out, so that it runs on any machine with the program.
  static final class Point implements SweepTask {
    private static final long serialVersionUID = 1L;

    @Override
    public String run(SweepPoint point) {
      Map<String, String> v = point.values();
      String program = v.getOrDefault("program", "");
      var system =
          SystemFiles.load(v.getOrDefault("system", ""))
              .at(Hertz.parse(v.getOrDefault("clock", "")));
      ProcessOptions process =
          ProcessOptions.of(program)
              .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
      try (Machine machine = Machine.load(ElfImage.read(Path.of(program)), process)) {
        return Json.write(new TimingRun(system, machine).run(TimingRun.Window.ALL));
      }
    }
  }

  @Parameters(arity = "1..*", paramLabel = "PROGRAM", description = "Static RISC-V ELF programs.")
  private List<Path> programs = new ArrayList<>();

  @Option(
      names = "--systems",
      split = ",",
      required = true,
      paramLabel = "NAME|FILE",
      description = "Systems, separated by commas; see simulate run --system. No default.")
  private List<String> systems = new ArrayList<>();

  @Option(
      names = "--clocks",
      split = ",",
      paramLabel = "RATE",
      description = "Rates of 'fast', for example 4GHz,100GHz. Default: each system's own.")
  private List<String> clocks = new ArrayList<>();

  @Option(
      names = "--store",
      defaultValue = "sweep.tsv",
      paramLabel = "FILE",
      description = "Where finished points are kept. Default: ${DEFAULT-VALUE}.")
  private Path store = Path.of("sweep.tsv");

  @Option(
      names = "--plots",
      paramLabel = "FOLDER",
      description = "Write cycle stack and bandwidth plots there. Default: none.")
  private @Nullable Path plots;

  @Override
  protected void execute() {
    List<SweepPoint> points = new ArrayList<>();
    for (Path program : programs) {
      ElfImage.read(program);
      for (String system : systems) {
        var description = SystemFiles.load(system);
        List<String> rates =
            clocks.isEmpty() ? List.of(description.fast().hertz() / 1e9 + "GHz") : clocks;
        for (String rate : rates) {
          description.at(Hertz.parse(rate));
          points.add(
              new SweepPoint(
                  program.getFileName() + " " + system + " " + rate,
                  Map.of(
                      "program", program.toAbsolutePath().toString(),
                      "system", anywhere(system),
                      "clock", rate)));
        }
      }
    }
    if (points.isEmpty()) {
      throw SpillwayException.badInput("the sweep has no points, name systems and programs");
    }
    Sweep.Outcome outcome = sweep(points, new Point(), store);
    Map<String, TimingResult> results = new LinkedHashMap<>();
    outcome
        .results()
        .forEach((id, text) -> results.put(id, Json.parse(text, TimingResult.class, id)));
    TextTable table =
        new TextTable("point", "instructions", "CPI", "ms", "J with cooling", "million/s");
    results.forEach((id, r) ->
        table.row(
            id,
            r.instructions(),
            TimingReport.number(r.cpi()),
            TimingReport.number(r.seconds() * 1e3),
            TimingReport.number(r.energy().joulesWithCooling()),
            TimingReport.number(r.millionsPerSecond())));
    if (plots != null) {
      TimingReport.plots(results, plots);
    }
    answer(Map.of("results", results, "failures", outcome.failures()), table);
  }

  /// A system's name, or the whole path of its file: executors have other current folders.
  private static String anywhere(String system) {
    return Files.exists(Path.of(system)) ? Path.of(system).toAbsolutePath().toString() : system;
  }
}
