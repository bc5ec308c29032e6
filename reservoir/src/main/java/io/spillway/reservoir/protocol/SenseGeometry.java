package io.spillway.reservoir.protocol;

import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.Likeness;
import io.spillway.reservoir.learn.ClassMeans;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.learn.Dense;
import io.spillway.reservoir.learn.Scaling;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Whether two senses place the same classes alike, which is all that can carry over to a class
/// never seen in both: a diagnosis from every label, no method of recognition.
///
/// The distances of class means in one sense are correlated with those in the other (Mantel 1967).
/// A pair of classes counts as told apart when the distances of both to all other classes agree
/// better in the right order than exchanged, given the true means: the most that a structural match
/// (as Gromov-Wasserstein) could find.
///
/// @param correlation of the distances, -1 to 1
/// @param byChance share of random assignments of one sense's classes to the other's that correlate
///   at least as well
/// @param pairsRight pairs of classes whose order is found
/// @param pairs pairs of classes
public record SenseGeometry(double correlation, double byChance, int pairsRight, int pairs) {
  private static final int ASSIGNMENTS = 20_000;

  /// Compares the senses.
  ///
  /// @param classes labels that are compared, four at least
  public static SenseGeometry of(
      Counts first,
      int[] firstLabels,
      Counts second,
      int[] secondLabels,
      List<Integer> classes,
      Seeds seeds) {
    double[][] a = distances(first, firstLabels, classes);
    double[][] b = distances(second, secondLabels, classes);
    int n = classes.size();
    int[] straight = new int[n];
    Arrays.setAll(straight, i -> i);
    double correlation = correlation(a, b, straight);
    RandomGenerator random = seeds.stream("geometry");
    int reached = 0;
    for (int k = 0; k < ASSIGNMENTS; k++) {
      reached += correlation(a, b, Splits.shuffled(n, random)) >= correlation - 1e-12 ? 1 : 0;
    }
    int right = 0;
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        double kept = profile(a[i], b[i], i, j) + profile(a[j], b[j], i, j);
        double exchanged = profile(a[i], b[j], i, j) + profile(a[j], b[i], i, j);
        right += kept > exchanged ? 1 : 0;
      }
    }
    return new SenseGeometry(
        correlation, (reached + 1.0) / (ASSIGNMENTS + 1.0), right, n * (n - 1) / 2);
  }

  /// One less the cosine of the class means about their centre.
  private static double[][] distances(Counts counts, int[] labels, List<Integer> classes) {
    int[] which =
        java.util.stream.IntStream.range(0, labels.length)
            .filter(i -> classes.contains(labels[i]))
            .toArray();
    Counts taken = counts.select(which);
    Scaling scaling = Scaling.of(taken);
    float[][] rows = new float[which.length][counts.width()];
    int[] places = new int[which.length];
    for (int i = 0; i < which.length; i++) {
      taken.copy(i, rows[i]);
      scaling.apply(rows[i]);
      places[i] = classes.indexOf(labels[which[i]]);
    }
    float[][] means = ClassMeans.of(rows, places, classes.size());
    ClassMeans.centre(means);
    int n = classes.size();
    double[][] out = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double product = Dense.dot(means[i], 0, means[j], 0, means[i].length);
        double lengths =
            Math.sqrt(
                (double) Dense.dot(means[i], 0, means[i], 0, means[i].length)
                    * Dense.dot(means[j], 0, means[j], 0, means[j].length));
        out[i][j] = 1 - product / (lengths + 1e-12);
      }
    }
    return out;
  }

  private static double correlation(double[][] a, double[][] b, int[] assignment) {
    int n = a.length;
    double[] x = new double[n * (n - 1) / 2];
    double[] y = new double[x.length];
    int at = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        x[at] = a[i][j];
        y[at++] = b[assignment[i]][assignment[j]];
      }
    }
    return pearson(x, y);
  }

  /// Correlation of two classes' distances to all classes but `i` and `j`.
  private static double profile(double[] a, double[] b, int i, int j) {
    int[] others =
        java.util.stream.IntStream.range(0, a.length).filter(k -> k != i && k != j).toArray();
    return pearson(
        Arrays.stream(others).mapToDouble(k -> a[k]).toArray(),
        Arrays.stream(others).mapToDouble(k -> b[k]).toArray());
  }

  /// Zero where one side is constant.
  private static double pearson(double[] x, double[] y) {
    double correlation = Likeness.correlation(x, y);
    return Double.isNaN(correlation) ? 0 : correlation;
  }
}
