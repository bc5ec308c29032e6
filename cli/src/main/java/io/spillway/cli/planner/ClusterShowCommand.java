package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.planner.Placement;
import io.spillway.planner.output.Explanation;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Node;
import io.spillway.report.Terminal;
import io.spillway.report.TextTable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Shows a cluster's nodes and links.
@Command(name = "show", description = "Show a cluster's nodes and the rates between them.")
public final class ClusterShowCommand extends SpillwayCommand {
  private static final String SHADES = " .:-=+*#%@";

  @Parameters(paramLabel = "FILE", description = "The cluster, a YAML file.")
  private Path file = Path.of("");

  @Option(names = "--plot", description = "Also write the heat map here, .png or .svg.")
  private @Nullable Path plot;

  @Override
  protected void execute() {
    Cluster cluster = Cluster.read(file);
    TextTable table = new TextTable("node", "accelerator", "count", "memory", "inside");
    for (Node n : cluster.nodes()) {
      table.row(
          n.name(), n.accelerator().name(), n.gpus(), n.accelerator().memory(), n.link().beta());
    }
    double[][] rates = cluster.rates();
    double[] all =
        Arrays.stream(rates).flatMapToDouble(Arrays::stream).filter(v -> v > 0).toArray();
    double least = Arrays.stream(all).min().orElse(0);
    double most = Arrays.stream(all).max().orElse(0);
    StringBuilder text = new StringBuilder(table.render(Terminal.width()));
    if (all.length > 0) {
      text.append(
          String.format(
              Locale.ROOT,
              "%nbetween nodes: %.3g to %.3g GB/s (from ' ' slow to '@' fast)%n",
              least / 1e9,
              most / 1e9));
      for (int i = 0; i < rates.length && rates.length <= 128; i++) {
        for (int j = 0; j < rates.length; j++) {
          double share = most > least ? (rates[i][j] - least) / (most - least) : 1;
          char shade =
              i == j
                  ? '\\'
                  : SHADES.charAt(
                      (int) Math.clamp(share * SHADES.length(), 0, SHADES.length() - 1));
          text.append(shade).append(shade);
        }
        text.append("  ").append(cluster.nodes().get(i).name()).append('\n');
      }
    }
    Path target = plot;
    if (target != null) {
      if (cluster.nodes().size() < 2) {
        throw io.spillway.platform.SpillwayException.badInput(
            "%s has one node; there are no links between nodes to plot", file);
      }
      Explanation.heatMap(
              "GB/s between nodes of " + cluster.name(),
              cluster,
              Placement.identity(cluster.gpus()))
          .write(target);
    }
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("name", cluster.name());
    value.put("nodes", cluster.nodes().size());
    value.put("accelerators", cluster.gpus());
    value.put("slowest_bytes_per_second", least);
    value.put("fastest_bytes_per_second", most);
    answer(value, text.toString());
  }
}
