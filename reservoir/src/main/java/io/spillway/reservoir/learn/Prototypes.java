package io.spillway.reservoir.learn;

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
    float[][] rows = new float[labels.length][counts.width()];
    for (int i = 0; i < labels.length; i++) {
      counts.copy(i, rows[i]);
      scaling.apply(rows[i]);
    }
    float[][] means = ClassMeans.of(rows, labels, classes);
    for (float[] mean : means) {
      unit(mean);
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
