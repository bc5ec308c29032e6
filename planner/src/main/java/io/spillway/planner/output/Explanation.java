package io.spillway.planner.output;

import io.spillway.planner.Job;
import io.spillway.planner.LatencyModel;
import io.spillway.planner.Placement;
import io.spillway.planner.Plan;
import io.spillway.planner.cost.Breakdown;
import io.spillway.planner.cost.Calibration;
import io.spillway.platform.hardware.Cluster;
import io.spillway.report.HtmlPage;
import io.spillway.report.Plot;
import io.spillway.report.TextTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Why a plan is the best one: where the time goes, what the placement changes and what the next
/// plan loses.
public final class Explanation {
  private static final double GIB = 1L << 30;

  /// Part of an iteration below which two plans are said to take as long.
  private static final double SAME = 1e-4;

  private Explanation() {}

  /// The plans side by side.
  public static TextTable table(List<Plan> plans) {
    TextTable table =
        new TextTable(
            "configuration",
            "seconds",
            "compute",
            "tp/cp/ep",
            "bubble",
            "reduce",
            "optimizer",
            "GiB",
            "placement gain");
    for (Plan p : plans) {
      Breakdown b = p.time().breakdown();
      table.row(
          p.cut().label(),
          seconds(b.total()),
          seconds(b.compute()),
          seconds(b.tensorParallel()),
          seconds(b.bubble()),
          seconds(b.reduce()),
          seconds(b.optimizer()),
          String.format(Locale.ROOT, "%.1f", p.memory().total() / GIB),
          String.format(
              Locale.ROOT, "%.2f %%", 100 * (p.identitySeconds() / p.time().seconds() - 1)));
    }
    return table;
  }

  /// One sentence on what the second plan loses to the first.
  public static String whyRunnerUpLost(Plan best, Plan next) {
    Map<String, Double> differences = new LinkedHashMap<>();
    Breakdown a = best.time().breakdown();
    Breakdown b = next.time().breakdown();
    differences.put("arithmetic", b.compute() - a.compute());
    differences.put("collectives within layers", b.tensorParallel() - a.tensorParallel());
    differences.put("waiting in the pipeline", b.bubble() - a.bubble());
    differences.put("reduction of gradients", b.reduce() - a.reduce());
    differences.put("the optimizer step", b.optimizer() - a.optimizer());
    var worst = differences.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow();
    var better = differences.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow();
    double more = b.total() - a.total();
    if (more < SAME * a.total()) {
      return "The runner-up " + next.cut().label() + " takes as long.";
    }
    String text =
        String.format(
            Locale.ROOT,
            "The runner-up %s needs %.4g s more (%.2f %%): %+.4g s in %s",
            next.cut().label(),
            more,
            100 * more / a.total(),
            worst.getValue(),
            worst.getKey());
    return better.getValue() < 0
        ? text
            + String.format(
                Locale.ROOT, ", against %+.4g s in %s.", better.getValue(), better.getKey())
        : text + ".";
  }

  /// Rates between nodes in the order of ranks.
  public static Plot heatMap(String title, Cluster cluster, Placement placement) {
    List<String> names = new ArrayList<>();
    List<Integer> nodes = new ArrayList<>();
    for (int r = 0; r < placement.size(); r++) {
      int node = cluster.nodeOf(placement.gpu(r));
      if (!nodes.contains(node)) {
        nodes.add(node);
        names.add(cluster.nodes().get(node).name());
      }
    }
    double[][] cells = new double[nodes.size()][nodes.size()];
    for (int i = 0; i < cells.length; i++) {
      for (int j = 0; j < cells.length; j++) {
        cells[i][j] =
            i == j
                ? Double.NaN
                : cluster.between(nodes.get(i), nodes.get(j)).beta().bytesPerSecond() / 1e9;
      }
    }
    return Plot.heatMap(title, names, names, cells);
  }

  /// The page of a plan: comparison, runner-up, timeline and heat maps.
  public static HtmlPage page(
      Job job, Cluster cluster, List<Plan> plans, Calibration calibration, String note) {
    Plan best = plans.getFirst();
    HtmlPage page =
        new HtmlPage(
            String.format(
                Locale.ROOT,
                "Plan: %s on %s, %d accelerators",
                job.model().name(),
                cluster.name(),
                cluster.gpus()));
    page.note(note);
    page.heading("Configurations").table(table(plans));
    if (plans.size() > 1) {
      page.paragraph(whyRunnerUpLost(best, plans.get(1)));
    }
    var timeline =
        new LatencyModel(calibration)
            .explain(job, cluster, best.cut(), best.placement())
            .timeline();
    timeline.ifPresent(t ->
        page.heading("Pipeline")
            .svg(
                TimelineSvg.draw(t, best.cut().pp()),
                "The slowest replica's schedule, " + best.cut().label()));
    if (cluster.nodes().size() > 1) {
      page.heading("Links")
          .plot(
              heatMap(
                  "GB/s between nodes before placement",
                  cluster,
                  Placement.identity(cluster.gpus())),
              "Nodes in their own order.")
          .plot(
              heatMap("GB/s between nodes after placement", cluster, best.placement()),
              "Nodes in the order of ranks: stages follow each other along the diagonal.");
    }
    page.heading("Megatron-LM arguments")
        .code(String.join(" ", MegatronArguments.of(job, best.cut())));
    return page;
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.1f" : value >= 1 ? "%.3f" : "%.4f", value);
  }
}
