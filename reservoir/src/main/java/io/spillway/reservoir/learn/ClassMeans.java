package io.spillway.reservoir.learn;

import io.spillway.platform.SpillwayException;

/// Means of the recordings of each class.
public final class ClassMeans {
  private ClassMeans() {}

  /// One mean a class.
  ///
  /// **Errors:** a class without a recording.
  public static float[][] of(float[][] rows, int[] labels, int classes) {
    float[][] means = new float[classes][rows[0].length];
    int[] sizes = new int[classes];
    for (int i = 0; i < rows.length; i++) {
      Dense.axpy(1, rows[i], means[labels[i]]);
      sizes[labels[i]]++;
    }
    for (int c = 0; c < classes; c++) {
      if (sizes[c] == 0) {
        throw SpillwayException.badInput("class %d has no recording for a mean", c);
      }
      for (int k = 0; k < means[c].length; k++) {
        means[c][k] /= sizes[c];
      }
    }
    return means;
  }

  /// Takes the mean of the rows off each of them and returns it.
  public static float[] centre(float[][] rows) {
    float[] mean = new float[rows[0].length];
    for (float[] row : rows) {
      Dense.axpy(1f / rows.length, row, mean);
    }
    for (float[] row : rows) {
      Dense.axpy(-1, mean, row);
    }
    return mean;
  }
}
