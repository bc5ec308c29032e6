package io.spillway.cli.house;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Machine;
import io.spillway.platform.Seeds;
import io.spillway.platform.units.Seconds;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.TextTable;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Runs every system on small real input, prints one table and writes one page.
@Command(
    name = "demo",
    description = "Run every system on small real input; print one table, write one HTML page.")
public final class DemoCommand extends SpillwayCommand {
  /// The systems, in the order of the architecture page; each is one row.
  private static final List<Demonstration> SYSTEMS =
      List.of(
          new io.spillway.simulator.SimulatorDemonstration(),
          new io.spillway.planner.PlannerDemonstration(),
          new io.spillway.training.TrainingDemonstration(),
          new io.spillway.longcontext.LongContextDemonstration(),
          new io.spillway.diffusion.DiffusionDemonstration(),
          new io.spillway.reservoir.ReservoirDemonstration());

  @Option(names = "--seed", defaultValue = "1", description = "Seed of every random choice.")
  private long seed;

  @Override
  protected void execute() {
    Path folder = newRunFolder();
    HtmlPage page = new HtmlPage("Spillway: every system on small real input");
    page.note(Machine.current().describe());
    TextTable table = new TextTable("system", "task", "answer", "beside it", "time");
    Map<String, Object> results = new LinkedHashMap<>();
    for (Demonstration system : SYSTEMS) {
      if (!quiet) {
        System.err.println("spillway: " + system.system() + ": " + system.task() + " ...");
      }
      page.heading(system.system() + ": " + system.task());
      long begin = System.nanoTime();
      Demonstration.Outcome outcome = system.run(new Seeds(seed), progress(), page);
      Seconds time = new Seconds((System.nanoTime() - begin) / 1e9);
      table.row(system.system(), system.task(), outcome.answer(), outcome.beside(), time);
      page.paragraph(outcome.answer() + "; " + outcome.beside() + ".")
          .note("Computed in " + time + ".");
      Map<String, Object> figures = new LinkedHashMap<>(outcome.figures());
      figures.put("answer", outcome.answer());
      figures.put("beside", outcome.beside());
      figures.put("seconds", time.seconds());
      results.put(system.system(), figures);
    }
    Path file = folder.resolve("demo.html");
    page.heading("All together").table(table);
    page.write(file);
    record(folder, seed, results);
    answer(
        results,
        table.render(io.spillway.report.Terminal.width()) + "\npage: " + file.toAbsolutePath());
  }
}
