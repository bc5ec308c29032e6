package io.spillway.platform.hardware;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;
import io.spillway.platform.yaml.Yaml;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The YAML form of a cluster: groups of equal nodes, the network, and accelerators of the user's
/// own beside the library's.
record ClusterFile(
    @Default("cluster") String name,
    @Default("[]") List<Accelerator> accelerators,
    List<NodeGroup> nodes,
    @Default("{link: {alpha: 10 us, beta: 25 GB/s}}") Network network) {

  /// Equal nodes.
  ///
  /// @param names their names; else `name` with a number behind it when `count` is above 1
  /// @param accelerator a name of the library or of this file
  /// @param link between two accelerators of one node; by default the accelerator's peer rate
  /// @param pairs rates between the accelerators of one node, GB/s
  record NodeGroup(
      @Default("node") String name,
      @Default("1") int count,
      @Default("[]") List<String> names,
      String accelerator,
      @Default("8") int gpus,
      Optional<Link> link,
      @Default("[]") List<List<Double>> pairs) {
    NodeGroup {
      if (count < 1 || count > 4096) {
        throw SpillwayException.badInput("count is %d, 1 to 4096 is accepted", count);
      }
      if (gpus < 1) {
        throw SpillwayException.badInput("gpus is %d, at least 1 is needed", gpus);
      }
    }
  }

  static Cluster read(Path file) {
    return Yaml.read(file, ClusterFile.class).build(file.toString());
  }

  static Cluster parse(String text, String source) {
    return Yaml.parse(text, ClusterFile.class, source).build(source);
  }

  private Cluster build(String source) {
    Map<String, Accelerator> known = new LinkedHashMap<>();
    Accelerators.all().forEach(a -> known.put(a.name().toUpperCase(Locale.ROOT), a));
    accelerators.forEach(a -> known.put(a.name().toUpperCase(Locale.ROOT), a));
    List<Node> built = new ArrayList<>();
    for (NodeGroup group : nodes) {
      Accelerator accelerator = known.get(group.accelerator().toUpperCase(Locale.ROOT));
      if (accelerator == null) {
        throw SpillwayException.badInput(
            "%s: unknown accelerator '%s', %s",
            source, group.accelerator(), Nearest.hint(group.accelerator(), known.keySet()));
      }
      Link link = group.link().orElseGet(() -> Link.of(5e-6, accelerator.peer().bytesPerSecond()));
      List<String> names = group.names();
      if (names.isEmpty()) {
        int first = built.size();
        names =
            group.count() == 1 && nodes.size() == 1
                ? List.of(group.name())
                : java.util.stream.IntStream.range(first, first + group.count())
                    .mapToObj(i -> group.name() + i)
                    .toList();
      }
      names.forEach(n -> built.add(new Node(n, accelerator, group.gpus(), link, group.pairs())));
    }
    try {
      return new Cluster(name, built, network);
    } catch (SpillwayException e) {
      throw SpillwayException.badInput("%s: %s", source, e.getMessage());
    }
  }

  static String write(Cluster cluster) {
    StringBuilder out = new StringBuilder();
    out.append("name: ").append(quote(cluster.name())).append('\n');
    writeAccelerators(cluster, out);
    out.append("nodes:\n");
    List<Node> nodes = cluster.nodes();
    for (int i = 0; i < nodes.size(); ) {
      Node first = nodes.get(i);
      int end = i + 1;
      while (end < nodes.size() && alike(first, nodes.get(end))) {
        end++;
      }
      out.append("  - names: [")
          .append(
              String.join(", ", nodes.subList(i, end).stream().map(n -> quote(n.name())).toList()))
          .append("]\n    accelerator: ")
          .append(quote(first.accelerator().name()))
          .append("\n    gpus: ")
          .append(first.gpus())
          .append("\n    link: ");
      writeLink(first.link(), out);
      if (!first.pairs().isEmpty()) {
        out.append("    pairs:\n");
        writeRows(first.pairs(), "      ", out);
      }
      i = end;
    }
    Network network = cluster.network();
    out.append("network:\n  link: ");
    writeLink(network.link(), out);
    out.append("  rails: ").append(network.rails()).append('\n');
    out.append("  asymmetry: ").append(network.asymmetry()).append('\n');
    if (!network.measured().isEmpty()) {
      out.append("  # GB/s from the node of the row to the node of the column\n  measured:\n");
      for (Network.Measured m : network.measured()) {
        out.append("    - size: ").append(m.size().bytes()).append(" B\n");
        out.append("      gigabytes_per_second:\n");
        writeRows(m.gigabytesPerSecond(), "        ", out);
      }
    }
    return out.toString();
  }

  private static boolean alike(Node a, Node b) {
    return a.accelerator().equals(b.accelerator())
        && a.gpus() == b.gpus()
        && a.link().equals(b.link())
        && a.pairs().equals(b.pairs());
  }

  private static void writeAccelerators(Cluster cluster, StringBuilder out) {
    List<Accelerator> own =
        cluster.nodes().stream()
            .map(Node::accelerator)
            .distinct()
            .filter(a -> !Accelerators.find(a.name()).equals(Optional.of(a)))
            .toList();
    if (own.isEmpty()) {
      return;
    }
    out.append("accelerators:\n");
    for (Accelerator a : own) {
      out.append("  - name: ").append(quote(a.name()));
      out.append("\n    memory: ").append(a.memory().bytes()).append(" B");
      out.append("\n    memory_bandwidth: ").append(a.memoryBandwidth().bytesPerSecond());
      out.append(" B/s\n    flops: {");
      out.append(
          String.join(
              ", ",
              a.supported().entrySet().stream()
                  .map(e ->
                      e.getKey().name().toLowerCase(Locale.ROOT)
                          + ": "
                          + e.getValue().flopsPerSecond()
                          + " FLOP/s")
                  .toList()));
      out.append("}\n    peer: ").append(a.peer().bytesPerSecond()).append(" B/s");
      out.append("\n    host: ").append(a.host().bytesPerSecond()).append(" B/s");
      out.append("\n    source: ").append(quote(a.source())).append('\n');
    }
  }

  private static void writeLink(Link link, StringBuilder out) {
    out.append("{alpha: ")
        .append(link.alpha().seconds())
        .append(" s, beta: ")
        .append(link.beta().bytesPerSecond())
        .append(" B/s");
    if (!link.curve().isEmpty()) {
      out.append(", curve: [")
          .append(
              String.join(
                  ", ",
                  link.curve().stream()
                      .map(p ->
                          "{size: " + p.size().bytes() + " B, time: " + p.time().seconds() + " s}")
                      .toList()))
          .append(']');
    }
    out.append("}\n");
  }

  private static void writeRows(List<List<Double>> rows, String indent, StringBuilder out) {
    for (List<Double> row : rows) {
      out.append(indent).append("- ").append(row).append('\n');
    }
  }

  private static String quote(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
