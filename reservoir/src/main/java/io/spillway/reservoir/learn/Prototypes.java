package io.spillway.reservoir.learn;

import io.spillway.platform.SpillwayException;

/// Nearest class mean on scaled counts, by cosine: the simplest learner, and the one for few
/// examples.
public final class Prototypes implements Classifier {
  private final Scaling scaling;
  private final float[][] means; // [classes][features], of unit length

  private Prototypes(Scaling scaling, float[][] means) {
    this.scaling = scaling;
    this.means = means;
  }

  /// One prototype a class.
  ///
  /// **Errors:** a class without a recording.
  public static Prototypes fit(Counts counts, int[] labels, int classes) {
    Scaling scaling = Scaling.of(counts);
    float[][] means = new float[classes][counts.width()];
    int[] sizes = new int[classes];
    float[] row = new float[counts.width()];
    for (int i = 0; i < labels.length; i++) {
      counts.copy(i, row);
      scaling.apply(row);
      Dense.axpy(1, row, means[labels[i]]);
      sizes[labels[i]]++;
    }
    for (int c = 0; c < classes; c++) {
      if (sizes[c] == 0) {
        throw SpillwayException.badInput("class %d has no recording for a prototype", c);
      }
      unit(means[c]);
    }
    return new Prototypes(scaling, means);
  }

  private static void unit(float[] row) {
    float length = (float) Math.sqrt(Dense.dot(row, 0, row, 0, row.length)) + 1e-9f;
    for (int j = 0; j < row.length; j++) {
      row[j] /= length;
    }
  }

  @Override
  public float[] scores(float[] counts) {
    float[] row = counts.clone();
    scaling.apply(row);
    unit(row);
    float[] out = new float[means.length];
    for (int c = 0; c < out.length; c++) {
      out[c] = Dense.dot(means[c], 0, row, 0, row.length);
    }
    return out;
  }
}
