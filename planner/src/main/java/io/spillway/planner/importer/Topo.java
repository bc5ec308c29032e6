package io.spillway.planner.importer;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.BandwidthMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The matrix of `nvidia-smi topo -m`. It tells kinds of links, not rates: a bond of n NVLinks gets
/// n shares of the accelerator's peer rate (the widest bond of the matrix has all of it), PCIe
/// paths get the host rate, and less of it the more bridges and sockets lie between.
final class Topo {
  private static final Pattern NVLINK = Pattern.compile("NV([0-9]{1,3})");

  private Topo() {}

  static Imported.Devices text(String text, Accelerator accelerator, String source) {
    List<String> lines = text.lines().map(l -> l.replaceAll("\u001B\\[[0-9;]*m", "")).toList();
    int header = -1;
    int n = 0;
    List<String[]> rows = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String[] cells = lines.get(i).strip().split("\\s+");
      if (header < 0 && cells[0].equals("GPU0") && !(cells.length > 1 && cells[1].equals("X"))) {
        header = i;
        n = (int) Arrays.stream(cells).filter(c -> c.matches("GPU[0-9]+")).count();
      } else if (header >= 0 && cells[0].equals("GPU" + rows.size()) && rows.size() < n) {
        if (cells.length < n + 1) {
          throw SpillwayException.badInput(
              "%s:%d: %d links of %s, %d are needed", source, i + 1, cells.length - 1, cells[0], n);
        }
        rows.add(Arrays.copyOfRange(cells, 1, n + 1));
      }
    }
    if (header < 0 || rows.size() != n) {
      throw SpillwayException.badInput(
          "%s: %d of %d rows of GPUs found; is this the output of nvidia-smi topo -m?",
          source, rows.size(), n);
    }
    if (n < 2) {
      throw SpillwayException.badInput("%s: one device has no links to others", source);
    }
    return new Imported.Devices(
        BandwidthMatrix.of(
            java.util.stream.IntStream.range(0, n).mapToObj(i -> "GPU" + i).toList(),
            rates(rows, accelerator, source),
            1.0,
            source));
  }

  private static double[][] rates(List<String[]> rows, Accelerator accelerator, String source) {
    int widest = 1;
    for (String[] row : rows) {
      for (String cell : row) {
        Matcher m = NVLINK.matcher(cell);
        widest = m.matches() ? Math.max(widest, Integer.parseInt(m.group(1))) : widest;
      }
    }
    double[][] rates = new double[rows.size()][rows.size()];
    double host = accelerator.host().bytesPerSecond();
    for (int r = 0; r < rates.length; r++) {
      for (int c = 0; c < rates.length; c++) {
        String cell = rows.get(r)[c];
        Matcher m = NVLINK.matcher(cell);
        if (m.matches()) {
          int bond = Math.max(1, Integer.parseInt(m.group(1)));
          rates[r][c] = accelerator.peer().bytesPerSecond() * bond / widest;
        } else {
          rates[r][c] =
              switch (cell) {
                case "X" -> 0;
                case "PIX", "PXB" -> host * 0.9;
                case "PHB" -> host * 0.75;
                case "NODE" -> host * 0.65;
                case "SYS" -> host * 0.5;
                default ->
                    throw SpillwayException.badInput(
                        "%s: unknown link '%s' from GPU%d to GPU%d; known: X, NV#, PIX, PXB, PHB,"
                            + " NODE, SYS",
                        source, cell, r, c);
              };
        }
      }
    }
    return rates;
  }
}
