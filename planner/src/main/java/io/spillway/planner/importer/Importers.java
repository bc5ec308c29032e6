package io.spillway.planner.importer;

import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Node;
import io.spillway.platform.units.Bytes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Reads measured links from the tools that people use and makes clusters of them.
public final class Importers {
  private static final int LARGEST_FILE = 64 << 20;

  private Importers() {}

  /// What the cluster is besides its measured links.
  ///
  /// @param nodes how many nodes a measured single link or node stands for
  /// @param gpus accelerators of each node
  /// @param network link between nodes where nothing was measured
  /// @param asymmetry how far the two directions of a pair may differ
  public record Setting(
      String name,
      Accelerator accelerator,
      int nodes,
      int gpus,
      Link network,
      int rails,
      double asymmetry) {
    public Setting {
      if (nodes < 1) {
        throw SpillwayException.badInput("--nodes is %d, at least 1 is needed", nodes);
      }
      if (gpus < 1) {
        throw SpillwayException.badInput("--gpus is %d, at least 1 is needed", gpus);
      }
    }
  }

  /// Reads a file.
  ///
  /// **Errors:** missing or empty files, an unknown format, malformed content with its line.
  public static Imported read(Path file, Format format, Setting setting) {
    try {
      if (!Files.isRegularFile(file)) {
        throw SpillwayException.notFound("%s: no such file", file);
      }
      if (Files.size(file) > LARGEST_FILE) {
        throw SpillwayException.badFile(
            file, "", "%d bytes, at most %d are read", Files.size(file), LARGEST_FILE);
      }
      // measured output may hold host names in any encoding
      String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
      return parse(text, format, setting, file.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Parses text that came from `source`, a name for error messages.
  public static Imported parse(String text, Format format, Setting setting, String source) {
    boolean json = text.stripLeading().startsWith("{");
    Format chosen = format == Format.AUTO ? guess(text, json, source) : format;
    return switch (chosen) {
      case NCCL_TESTS ->
          json ? NcclTests.json(tree(text, source), source) : NcclTests.text(text, source);
      case NVBANDWIDTH ->
          json
              ? NvBandwidth.json(tree(text, source), setting.asymmetry(), source)
              : NvBandwidth.text(text, setting.asymmetry(), source);
      case TOPO -> Topo.text(text, setting.accelerator(), source);
      case MPIGRAPH ->
          json
              ? MpiGraph.json(tree(text, source), setting.asymmetry(), source)
              : MpiGraph.text(text, setting.asymmetry(), source);
      case AUTO -> throw new IllegalStateException("unreachable");
    };
  }

  /// The cluster that measured links and a setting describe together.
  public static Cluster cluster(Imported imported, Setting s) {
    Link inside = Link.of(5e-6, s.accelerator().peer().bytesPerSecond());
    Network network = Network.of(s.network(), s.rails());
    return switch (imported) {
      case Imported.Nodes n ->
          new Cluster(
              s.name(),
              n.matrix().names().stream()
                  .map(name -> new Node(name, s.accelerator(), s.gpus(), inside, List.of()))
                  .toList(),
              Network.of(s.network(), s.rails(), new Bytes(30 << 20), n.matrix(), s.asymmetry()));
      case Imported.Devices d -> {
        List<Node> nodes = new ArrayList<>();
        for (int i = 0; i < s.nodes(); i++) {
          nodes.add(new Node("node" + i, s.accelerator(), d.matrix().size(), inside, rows(d)));
        }
        yield new Cluster(s.name(), nodes, network);
      }
      case Imported.Curve c ->
          s.nodes() > 1
              ? Cluster.even(
                  s.name(),
                  s.nodes(),
                  s.gpus(),
                  s.accelerator(),
                  inside,
                  Network.of(c.link(), s.rails()))
              : Cluster.even(s.name(), 1, s.gpus(), s.accelerator(), c.link(), network);
    };
  }

  private static List<List<Double>> rows(Imported.Devices d) {
    List<List<Double>> rows = new ArrayList<>();
    for (double[] row : d.matrix().toArray()) {
      rows.add(java.util.Arrays.stream(row).mapToObj(v -> Math.round(v / 1e6) / 1e3).toList());
    }
    return rows;
  }

  private static JsonNode tree(String text, String source) {
    return Json.parse(text, JsonNode.class, source);
  }

  private static Format guess(String text, boolean json, String source) {
    if (text.isBlank()) {
      throw SpillwayException.badInput("%s: the file is empty", source);
    }
    if (json) {
      if (text.contains("\"nvbandwidth\"")) {
        return Format.NVBANDWIDTH;
      }
      return text.contains("\"bandwidth\"") ? Format.MPIGRAPH : Format.NCCL_TESTS;
    }
    if (text.contains("busbw")) {
      return Format.NCCL_TESTS;
    }
    if (text.contains("memcpy") || text.contains("nvbandwidth")) {
      return Format.NVBANDWIDTH;
    }
    if (text.contains("mpiGraph") || text.lines().anyMatch(l -> l.startsWith("Send"))) {
      return Format.MPIGRAPH;
    }
    if (text.contains("GPU0")) {
      return Format.TOPO;
    }
    throw SpillwayException.badInput(
        "%s: not the output of nccl-tests, nvbandwidth, nvidia-smi topo -m or mpiGraph; name it with"
            + " --format",
        source);
  }

  static double number(String cell, String source, int line, String what) {
    try {
      double value = Double.parseDouble(cell);
      if (Double.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      // falls through to the one message
    }
    throw SpillwayException.badInput(
        "%s:%d: %s is '%s', a finite number was expected", source, line, what, cell);
  }
}
