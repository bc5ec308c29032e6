package io.spillway.reservoir.protocol;

import io.spillway.reservoir.learn.Dense;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Finds for each query of one sense the nearest recording of the other; the answer counts as right
/// when both have the same class.
public final class Retrieval {
  private Retrieval() {}

  /// How alike two embeddings are.
  public enum Measure {
    /// Their product.
    DOT,
    /// Their cosine.
    COSINE,
    /// Their cosine after the mean of all queries is taken off the queries and that of the gallery
    /// off the gallery. It looks at all queries at once, though at no label.
    CENTRED,
    /// Their cosine less its mean over the ten nearest of either side, against items that are near
    /// to everything. It looks at all queries at once, though at no label.
    CSLS,
    /// The cosine with the mean of each class of the gallery in the place of its recordings. The
    /// gallery's classes are what is offered; no label of a query is looked at.
    PROTOTYPE
  }

  private static final int NEIGHBOURS = 10;

  /// Share of queries whose nearest item of the gallery has their class.
  ///
  /// @param queries embeddings, `[queries][width]`
  /// @param gallery embeddings, `[gallery][width]`
  public static double accuracy(
      float[][] queries,
      int[] queryLabels,
      float[][] gallery,
      int[] galleryLabels,
      Measure measure) {
    if (measure == Measure.PROTOTYPE) {
      int[] classes = Arrays.stream(galleryLabels).distinct().sorted().toArray();
      return accuracy(
          queries, queryLabels, means(gallery, galleryLabels, classes), classes, Measure.COSINE);
    }
    float[][] like =
        switch (measure) {
          case DOT -> products(queries, gallery);
          case COSINE -> products(unit(queries), unit(gallery));
          case CENTRED -> products(unit(centred(queries)), unit(centred(gallery)));
          case PROTOTYPE -> throw new IllegalStateException("handled above");
          case CSLS -> corrected(products(unit(queries), unit(gallery)));
        };
    int right = 0;
    for (int i = 0; i < queries.length; i++) {
      right += galleryLabels[Dense.argmax(like[i])] == queryLabels[i] ? 1 : 0;
    }
    return right / (double) queries.length;
  }

  /// The mean of the unit vectors of each class.
  private static float[][] means(float[][] rows, int[] labels, int[] classes) {
    float[][] unit = unit(rows);
    float[][] out = new float[classes.length][rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      Dense.axpy(1, unit[i], out[Arrays.binarySearch(classes, labels[i])]);
    }
    return out;
  }

  private static float[][] products(float[][] queries, float[][] gallery) {
    float[][] out = new float[queries.length][gallery.length];
    IntStream.range(0, queries.length)
        .parallel()
        .forEach(i -> {
          for (int j = 0; j < gallery.length; j++) {
            out[i][j] = Dense.dot(queries[i], 0, gallery[j], 0, queries[i].length);
          }
        });
    return out;
  }

  private static float[][] unit(float[][] rows) {
    float[][] out = new float[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      out[i] = rows[i].clone();
      float length = (float) Math.sqrt(Dense.dot(out[i], 0, out[i], 0, out[i].length)) + 1e-9f;
      for (int k = 0; k < out[i].length; k++) {
        out[i][k] /= length;
      }
    }
    return out;
  }

  private static float[][] centred(float[][] rows) {
    float[] mean = new float[rows[0].length];
    for (float[] row : rows) {
      Dense.axpy(1f / rows.length, row, mean);
    }
    float[][] out = new float[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      out[i] = rows[i].clone();
      Dense.axpy(-1, mean, out[i]);
    }
    return out;
  }

  private static float[][] corrected(float[][] like) {
    int columns = like[0].length;
    float[] ofColumn = new float[columns];
    for (int j = 0; j < columns; j++) {
      float[] column = new float[like.length];
      for (int i = 0; i < like.length; i++) {
        column[i] = like[i][j];
      }
      ofColumn[j] = nearest(column);
    }
    float[][] out = new float[like.length][columns];
    for (int i = 0; i < like.length; i++) {
      // the queries' own term moves a whole row alike and so changes no answer
      for (int j = 0; j < columns; j++) {
        out[i][j] = 2 * like[i][j] - ofColumn[j];
      }
    }
    return out;
  }

  /// Mean of the ten largest.
  private static float nearest(float[] values) {
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    int k = Math.min(NEIGHBOURS, sorted.length);
    float sum = 0;
    for (int i = sorted.length - k; i < sorted.length; i++) {
      sum += sorted[i];
    }
    return sum / k;
  }
}
