package io.spillway.platform.hardware;

import java.util.List;

/// Matrices as they stand in files: rows of GB/s.
final class NetworkMatrices {
  private NetworkMatrices() {}

  static BandwidthMatrix check(List<List<Double>> rows, List<String> names, String source) {
    return check(rows, names, BandwidthMatrix.USUAL_ASYMMETRY, source);
  }

  static BandwidthMatrix check(
      List<List<Double>> rows, List<String> names, double asymmetry, String source) {
    double[][] values = new double[rows.size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = rows.get(i).stream().mapToDouble(v -> v * 1e9).toArray();
    }
    return BandwidthMatrix.of(names, values, asymmetry, source);
  }

  /// Rows of GB/s, three decimals.
  static List<List<Double>> rows(BandwidthMatrix matrix) {
    return java.util.stream.IntStream.range(0, matrix.size())
        .mapToObj(i ->
            java.util.stream.IntStream.range(0, matrix.size())
                .mapToObj(j -> Math.round(matrix.rate(i, j) / 1e6) / 1e3)
                .toList())
        .toList();
  }
}
