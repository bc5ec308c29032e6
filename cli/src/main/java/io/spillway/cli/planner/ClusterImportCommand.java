package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.planner.importer.Format;
import io.spillway.planner.importer.Importers;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.units.BytesPerSecond;
import io.spillway.platform.units.Seconds;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes a cluster file from measured links.
@Command(
    name = "import",
    description =
        "Make a cluster file from the output of nccl-tests, nvbandwidth, nvidia-smi topo -m or"
            + " mpiGraph.")
public final class ClusterImportCommand extends SpillwayCommand {
  @Parameters(paramLabel = "FILE", description = "The tool's output, text or JSON.")
  private Path file = Path.of("");

  @Option(
      names = "--format",
      defaultValue = "AUTO",
      description = "${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  private Format format = Format.AUTO;

  @Option(
      names = "--accelerator",
      required = true,
      description = "What the nodes hold, such as A100-80.")
  private String accelerator = "";

  @Option(
      names = "--name",
      defaultValue = "cluster",
      description = "The cluster's name (default ${DEFAULT-VALUE}).")
  private String name = "cluster";

  @Option(
      names = "--nodes",
      defaultValue = "1",
      description = "Nodes, where the file does not name them (default ${DEFAULT-VALUE}).")
  private int nodes;

  @Option(
      names = "--gpus",
      defaultValue = "8",
      description =
          "Accelerators of each node, where the file does not tell (default ${DEFAULT-VALUE}).")
  private int gpus;

  @Option(
      names = "--network-beta",
      defaultValue = "25 GB/s",
      description = "Rate between nodes where nothing was measured (default ${DEFAULT-VALUE}).")
  private String beta = "25 GB/s";

  @Option(
      names = "--network-alpha",
      defaultValue = "10 us",
      description = "Latency between nodes (default ${DEFAULT-VALUE}).")
  private String alpha = "10 us";

  @Option(
      names = "--rails",
      defaultValue = "1",
      description =
          "Accelerators of a node that can use the network at full rate at once (default ${DEFAULT-VALUE}).")
  private int rails;

  @Option(
      names = "--asymmetry",
      defaultValue = "0.5",
      description =
          "How far the two directions of a pair may differ, as a share (default ${DEFAULT-VALUE}).")
  private double asymmetry;

  @Option(names = "--out", description = "The cluster file to write (printed by default).")
  private @Nullable Path out;

  @Override
  protected void execute() {
    Importers.Setting setting =
        new Importers.Setting(
            name,
            Accelerators.named(accelerator),
            nodes,
            gpus,
            Link.of(Seconds.parse(alpha).seconds(), BytesPerSecond.parse(beta).bytesPerSecond()),
            rails,
            asymmetry);
    Cluster cluster = Importers.cluster(Importers.read(file, format, setting), setting);
    String yaml = cluster.toYaml();
    Path target = out;
    if (target != null) {
      AtomicFiles.writeString(target, yaml);
    }
    answer(
        Map.of("nodes", cluster.nodes().size(), "accelerators", cluster.gpus(), "yaml", yaml),
        target == null
            ? yaml
            : cluster.nodes().size()
                + " nodes, "
                + cluster.gpus()
                + " accelerators: "
                + target.toAbsolutePath());
  }
}
