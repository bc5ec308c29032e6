package io.spillway.longcontext.eval;

import io.spillway.longcontext.eval.Evaluation.Cell;
import io.spillway.platform.units.Bytes;
import io.spillway.report.Plot;
import io.spillway.report.Spread;
import io.spillway.report.TextTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// An evaluation as a table and as a plot of accuracy against budget.
public final class Report {
  private Report() {}

  /// One row for each cell.
  public static TextTable table(List<Cell> cells) {
    TextTable table =
        new TextTable("task", "prompt", "policy", "budget", "score", "95 % interval", "cache peak");
    for (Cell cell : cells) {
      boolean measured = cell.note().isEmpty();
      table.row(
          cell.task(),
          cell.length(),
          cell.policy(),
          cell.budget() == 0 ? "all" : String.valueOf(cell.budget()),
          measured ? String.format(Locale.ROOT, "%.3f", cell.score()) : "-",
          measured
              ? String.format(Locale.ROOT, "%.2f to %.2f", cell.low(), cell.high())
              : cell.note(),
          measured ? new Bytes(cell.peakBytes()).toString() : "-");
    }
    return table;
  }

  /// Score against budget at one length, one line with its interval for each policy; the mean over
  /// the tasks, the full cache as a level line.
  static Plot plot(String title, List<Cell> cells) {
    Map<String, TreeMap<Integer, double[]>> lines = new LinkedHashMap<>();
    double full = 0;
    int fulls = 0;
    for (Cell cell : cells) {
      if (!cell.note().isEmpty()) {
        continue;
      }
      if (cell.budget() == 0) {
        full += cell.score();
        fulls++;
        continue;
      }
      double[] sum =
          lines
              .computeIfAbsent(cell.policy(), p -> new TreeMap<>())
              .computeIfAbsent(cell.budget(), b -> new double[3]);
      sum[0] += cell.score();
      sum[1] += cell.samples();
      sum[2]++;
    }
    Plot plot = Plot.xy(title, "entries per layer and head", "score").logX();
    plot.yRange(0, 1.02);
    lines.forEach((policy, byBudget) -> {
      double[] x = new double[byBudget.size()];
      double[] y = new double[x.length];
      double[] errors = new double[x.length];
      int at = 0;
      for (Map.Entry<Integer, double[]> entry : byBudget.entrySet()) {
        double mean = entry.getValue()[0] / entry.getValue()[2];
        x[at] = entry.getKey();
        y[at] = mean;
        double[] interval = Spread.wilson(mean * entry.getValue()[1], (int) entry.getValue()[1]);
        errors[at] = (interval[1] - interval[0]) / 2;
        at++;
      }
      plot.line(policy, x, y, errors);
    });
    if (fulls > 0 && !lines.isEmpty()) {
      double level = full / fulls;
      double[] ends =
          lines.values().stream()
              .flatMap(l -> l.keySet().stream())
              .mapToDouble(b -> b)
              .sorted()
              .toArray();
      plot.line("full", new double[] {ends[0], ends[ends.length - 1]}, new double[] {level, level});
    }
    return plot;
  }

  /// Writes a plot for each length: the mean over tasks, and one for each task.
  public static void plots(List<Cell> cells, Path folder) {
    Map<String, List<Cell>> files = new LinkedHashMap<>();
    for (Cell cell : cells) {
      files.computeIfAbsent("accuracy-" + cell.length(), f -> new ArrayList<>()).add(cell);
      files
          .computeIfAbsent("accuracy-" + cell.length() + "-" + cell.task(), f -> new ArrayList<>())
          .add(cell);
    }
    files.forEach((name, some) -> {
      if (some.stream().anyMatch(c -> c.note().isEmpty() && c.budget() > 0)) {
        boolean mean = some.stream().map(Cell::task).distinct().count() > 1;
        plot(
                String.format(
                    Locale.ROOT,
                    "%s at %d tokens",
                    mean ? "Mean over tasks" : some.getFirst().task(),
                    some.getFirst().length()),
                some)
            .write(folder.resolve(name + ".svg"));
      }
    });
  }
}
