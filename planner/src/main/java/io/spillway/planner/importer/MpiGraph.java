package io.spillway.planner.importer;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.BandwidthMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// mpiGraph's table of sending rates, and the JSON form in which such matrices were published
/// (`{"0": {"gpus": [...], "bandwidth": [[...]]}}`), both in MB/s.
final class MpiGraph {
  private static final double MEGABYTE = 1e6;

  private MpiGraph() {}

  static Imported.Nodes text(String text, double asymmetry, String source) {
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String[] header = lines.get(i).strip().split("\\s+");
      if (header[0].equals("Send") && header.length > 1 && !header[1].startsWith("Recv")) {
        List<String> names = Arrays.stream(header).skip(1).map(MpiGraph::host).toList();
        return table(lines, i + 1, names, asymmetry, source);
      }
    }
    throw SpillwayException.badInput(
        "%s: no line 'Send' with the names of nodes; is this the output of mpiGraph?", source);
  }

  static Imported.Nodes json(JsonNode root, double asymmetry, String source) {
    JsonNode block = root.has("bandwidth") ? root : first(root);
    JsonNode names = block == null ? null : block.get("gpus");
    JsonNode rows = block == null ? null : block.get("bandwidth");
    if (names == null || rows == null || !names.isArray() || !rows.isArray()) {
      throw SpillwayException.badInput("%s: no 'gpus' with their 'bandwidth' matrix", source);
    }
    List<String> hosts = new ArrayList<>();
    names.forEach(n -> hosts.add(n.asString("")));
    double[][] values = new double[rows.size()][];
    for (int r = 0; r < values.length; r++) {
      JsonNode row = rows.get(r);
      values[r] = new double[row.size()];
      for (int c = 0; c < values[r].length; c++) {
        if (!row.get(c).isNumber()) {
          throw SpillwayException.badInput(
              "%s: row %d, column %d is %s, a number was expected",
              source, r + 1, c + 1, row.get(c));
        }
        values[r][c] = row.get(c).asDouble() * MEGABYTE;
      }
    }
    return new Imported.Nodes(BandwidthMatrix.of(hosts, values, asymmetry, source));
  }

  private static Imported.Nodes table(
      List<String> lines, int from, List<String> names, double asymmetry, String source) {
    List<double[]> rows = new ArrayList<>();
    for (int i = from; i < lines.size() && rows.size() < names.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("Recv")) {
        break;
      }
      String[] cells = line.split("\\s+");
      if (!host(cells[0]).equals(names.get(rows.size()))) {
        throw SpillwayException.badInput(
            "%s:%d: the row of '%s' stands where '%s' was expected; names do not match the header",
            source, i + 1, host(cells[0]), names.get(rows.size()));
      }
      double[] row = new double[cells.length - 1];
      for (int c = 0; c < row.length; c++) {
        row[c] = Importers.number(cells[c + 1], source, i + 1, "rate") * MEGABYTE;
      }
      rows.add(row);
    }
    return new Imported.Nodes(
        BandwidthMatrix.of(names, rows.toArray(double[][]::new), asymmetry, source));
  }

  /// `node12:0` or `node12:0:` as `node12`.
  private static String host(String cell) {
    int colon = cell.indexOf(':');
    return colon > 0 ? cell.substring(0, colon) : cell;
  }

  private static @org.jspecify.annotations.Nullable JsonNode first(JsonNode root) {
    for (JsonNode value : root) {
      return value;
    }
    return null;
  }
}
