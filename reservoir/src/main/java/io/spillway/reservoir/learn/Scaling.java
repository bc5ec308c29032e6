package io.spillway.reservoir.learn;

import java.util.stream.IntStream;

/// Mean and spread of each feature on the training set; features are centred and divided by their
/// spread plus a floor, which keeps neurons that hardly fire from being blown up.
///
/// @param mean `[width]`
/// @param factor `[width]`
public record Scaling(float[] mean, float[] factor) {
  private static final double FLOOR = .3;

  /// Measures the training set.
  public static Scaling of(Counts counts) {
    int width = counts.width();
    float[] mean = new float[width];
    float[] factor = new float[width];
    IntStream.range(0, (width + 255) / 256)
        .parallel()
        .forEach(block -> {
          int from = block * 256;
          int to = Math.min(width, from + 256);
          double[] sum = new double[256];
          double[] square = new double[256];
          for (int i = 0; i < counts.size(); i++) {
            for (int j = from; j < to; j++) {
              double v = counts.at(i, j);
              sum[j - from] += v;
              square[j - from] += v * v;
            }
          }
          for (int j = from; j < to; j++) {
            double m = sum[j - from] / counts.size();
            double variance = Math.max(0, square[j - from] / counts.size() - m * m);
            mean[j] = (float) m;
            factor[j] = (float) (1 / (Math.sqrt(variance) + FLOOR));
          }
        });
    return new Scaling(mean, factor);
  }

  /// Scales a row in place.
  public void apply(float[] row) {
    for (int j = 0; j < row.length; j++) {
      row[j] = (row[j] - mean[j]) * factor[j];
    }
  }
}
