package io.spillway.reservoir.protocol;

import io.spillway.reservoir.learn.Dense;
import java.util.stream.IntStream;

/// Finds for each query of one sense the nearest recording of the other; the answer counts as right
/// when both have the same class.
public final class Retrieval {
  private Retrieval() {}

  /// Share of queries whose nearest item of the gallery has their class.
  ///
  /// @param queries embeddings, `[queries][width]`
  /// @param gallery embeddings, `[gallery][width]`
  /// @param cosine whether lengths are taken out first
  public static double accuracy(
      float[][] queries,
      int[] queryLabels,
      float[][] gallery,
      int[] galleryLabels,
      boolean cosine) {
    double[] length = new double[gallery.length];
    for (int j = 0; j < gallery.length; j++) {
      length[j] =
          cosine ? Math.sqrt(Dense.dot(gallery[j], 0, gallery[j], 0, gallery[j].length)) : 1;
    }
    long right =
        IntStream.range(0, queries.length)
            .parallel()
            .filter(i -> {
              int best = 0;
              double most = Double.NEGATIVE_INFINITY;
              for (int j = 0; j < gallery.length; j++) {
                double s = Dense.dot(queries[i], 0, gallery[j], 0, queries[i].length) / length[j];
                if (s > most) {
                  most = s;
                  best = j;
                }
              }
              return galleryLabels[best] == queryLabels[i];
            })
            .count();
    return right / (double) queries.length;
  }
}
