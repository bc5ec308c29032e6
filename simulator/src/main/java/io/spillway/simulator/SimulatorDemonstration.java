package io.spillway.simulator;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.units.Hertz;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.Plot;
import io.spillway.report.TextTable;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Runs the beginning of a graph search (it builds its graph) on the paper's systems, one cache
/// level after the other made fast.
public final class SimulatorDemonstration implements Demonstration {
  private static final long INSTRUCTIONS = 1_000_000;
  private static final List<String> SYSTEMS =
      List.of("paper-baseline", "paper-core", "paper-core-l1-l2", "paper-everything");

  @Override
  public String system() {
    return "simulator";
  }

  @Override
  public String task() {
    return "run the first million instructions of a graph search with ever more parts at 100 GHz";
  }

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    ElfImage image = program();
    Map<String, TimingResult> results = new LinkedHashMap<>();
    try (Progress.Task bar = progress.start("simulate", SYSTEMS.size())) {
      for (String name : SYSTEMS) {
        Hertz fast = Hertz.parse(name.equals("paper-baseline") ? "4 GHz" : "100 GHz");
        ProcessOptions process =
            ProcessOptions.of("bfs")
                .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        try (Machine machine = Machine.load(image, process)) {
          results.put(
              name,
              new TimingRun(SystemFiles.load(name).at(fast), machine)
                  .run(new TimingRun.Window(0, 0, INSTRUCTIONS, 0)));
        }
        bar.advance(1);
      }
    }
    double reference = results.getOrDefault("paper-baseline", first(results)).seconds();
    TextTable table = new TextTable("system", "CPI", "speedup");
    Map<String, Object> figures = new LinkedHashMap<>();
    results.forEach((name, r) -> {
      double speedup = reference / r.seconds();
      table.row(
          name,
          String.format(Locale.ROOT, "%.3f", r.cpi()),
          String.format(Locale.ROOT, "%.2f", speedup));
      figures.put("speedup of " + name, speedup);
    });
    Plot stacks =
        Plot.stackedBars(
            "Where the cycles went", "system", "cycles per instruction", List.copyOf(SYSTEMS));
    for (String cause : first(results).stack().keySet()) {
      stacks.bar(
          cause,
          results.values().stream()
              .mapToDouble(r -> r.stack().getOrDefault(cause, 0L) / (double) INSTRUCTIONS)
              .toArray());
    }
    page.table(table).plot(stacks, "Every cycle is charged to one cause.");
    double core = reference / results.getOrDefault("paper-core", first(results)).seconds();
    double all = reference / results.getOrDefault("paper-everything", first(results)).seconds();
    return new Outcome(
        String.format(
            Locale.ROOT,
            "25 times the core clock alone gives %.2f, with every cache %.2f",
            core,
            all),
        "the paper's breadth-first search: 1.83 and 10.63",
        figures);
  }

  private static TimingResult first(Map<String, TimingResult> results) {
    return results.values().iterator().next();
  }

  private static ElfImage program() {
    return ElfImage.parse(Path.of("bfs"), Workloads.read("bfs"));
  }
}
