package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.units.Hertz;
import io.spillway.report.TextTable;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `simulate compare`: one program on several systems, the first being the reference.
@Command(
    name = "compare",
    description = "Run a program on several systems and compare them with the first.")
public final class SimulateCompareCommand extends SpillwayCommand {
  @Parameters(index = "0", paramLabel = "PROGRAM", description = "A static RISC-V ELF program.")
  private Path program = Path.of("");

  @Option(
      names = "--systems",
      split = ",",
      required = true,
      paramLabel = "NAME|FILE[@RATE]",
      description =
          "Systems, separated by commas, each with its rate of 'fast' behind @ if not its own, for"
              + " example paper-baseline,paper-core@100GHz. No default.")
  private List<String> systems = new ArrayList<>();

  @Option(
      names = "--plots",
      paramLabel = "FOLDER",
      description = "Write cycle stack and bandwidth plots there. Default: none.")
  private @Nullable Path plots;

  @Override
  protected void execute() {
    ElfImage image = ElfImage.read(program);
    Map<String, SystemDescription> chosen = new LinkedHashMap<>();
    for (String name : systems) {
      int at = name.lastIndexOf('@');
      SystemDescription system = SystemFiles.load(at < 0 ? name : name.substring(0, at));
      chosen.put(name, at < 0 ? system : system.at(Hertz.parse(name.substring(at + 1))));
    }
    Map<String, TimingResult> results = new LinkedHashMap<>();
    try (var bar = progress().start("compare", chosen.size())) {
      chosen.forEach((name, system) -> {
        ProcessOptions process =
            ProcessOptions.of(program.toString())
                .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        try (Machine machine = Machine.load(image, process)) {
          results.put(name, new TimingRun(system, machine).run(TimingRun.Window.ALL));
        }
        bar.advance(1);
      });
    }
    TimingResult reference = results.values().iterator().next();
    TextTable table =
        new TextTable(
            "system", "CPI", "ms", "speedup", "base", "branch", "memory side", "perf/W ratio");
    results.forEach((name, r) -> {
      long sum = r.stack().values().stream().mapToLong(Long::longValue).sum();
      long base = r.stack().getOrDefault("base", 0L);
      long branch = r.stack().getOrDefault("branch", 0L);
      long front =
          r.stack().getOrDefault("fetch", 0L) + r.stack().getOrDefault("full structures", 0L);
      table.row(
          name,
          TimingReport.number(r.cpi()),
          TimingReport.number(r.seconds() * 1e3),
          TimingReport.number(reference.seconds() / r.seconds()),
          TimingReport.percent(base / (double) sum),
          TimingReport.percent(branch / (double) sum),
          TimingReport.percent((sum - base - branch - front) / (double) sum),
          TimingReport.number(
              r.energy().instructionsPerJoule() / reference.energy().instructionsPerJoule()));
    });
    if (plots != null) {
      TimingReport.plots(results, plots);
    }
    answer(results, table);
  }
}
