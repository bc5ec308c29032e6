package io.spillway.planner.importer;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.BandwidthMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// The device-to-device matrices of nvbandwidth, as text and as JSON (option -j).
final class NvBandwidth {
  private NvBandwidth() {}

  static Imported.Devices text(String text, double asymmetry, String source) {
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.contains("GPU(row)") && line.contains("GPU(column)") && !line.contains("<->")) {
        return matrix(lines, i + 1, asymmetry, source);
      }
    }
    throw SpillwayException.badInput(
        "%s: no device-to-device matrix; run nvbandwidth with -t device_to_device_memcpy_read_ce",
        source);
  }

  static Imported.Devices json(JsonNode root, double asymmetry, String source) {
    for (JsonNode test : root.path("nvbandwidth").path("testcases")) {
      String name = test.path("name").asString("");
      JsonNode rows = test.get("bandwidth_matrix");
      if (name.startsWith("device_to_device_memcpy") && rows != null && rows.isArray()) {
        double[][] values = new double[rows.size()][];
        for (int r = 0; r < values.length; r++) {
          JsonNode row = rows.get(r);
          values[r] = new double[row.size()];
          for (int c = 0; c < values[r].length; c++) {
            values[r][c] = cell(row.get(c).asString(""), r, c, source, 0);
          }
        }
        return devices(values, asymmetry, source);
      }
    }
    throw SpillwayException.badInput(
        "%s: no testcase device_to_device_memcpy with a bandwidth_matrix", source);
  }

  private static Imported.Devices matrix(
      List<String> lines, int header, double asymmetry, String source) {
    if (header >= lines.size()) {
      throw SpillwayException.badInput("%s: the matrix is cut off at its header", source);
    }
    int n = lines.get(header).strip().split("\\s+").length;
    List<double[]> rows = new ArrayList<>();
    for (int i = header + 1; i < lines.size() && rows.size() < n; i++) {
      String[] cells = lines.get(i).strip().split("\\s+");
      if (cells.length < 2 || !cells[0].equals(String.valueOf(rows.size()))) {
        break;
      }
      double[] row = new double[cells.length - 1];
      for (int c = 0; c < row.length; c++) {
        row[c] = cell(cells[c + 1], rows.size(), c, source, i + 1);
      }
      rows.add(row);
    }
    return devices(rows.toArray(double[][]::new), asymmetry, source);
  }

  private static double cell(String text, int row, int column, String source, int line) {
    return row == column || text.equals("N/A") && row == column
        ? 0
        : Importers.number(text, source, line, "bandwidth") * 1e9;
  }

  private static Imported.Devices devices(double[][] values, double asymmetry, String source) {
    List<String> names = IntStream.range(0, values.length).mapToObj(i -> "GPU" + i).toList();
    if (values.length == 1) {
      throw SpillwayException.badInput("%s: one device has no links to others", source);
    }
    return new Imported.Devices(BandwidthMatrix.of(names, values, asymmetry, source));
  }
}
