package io.spillway.reservoir.learn;

import io.spillway.platform.SpillwayException;
import java.util.stream.IntStream;

/// A linear readout in closed form: least squares towards +1 and -1 with a penalty on the weights.
///
/// With fewer recordings than features the problem is solved in the recordings (dual), otherwise in
/// the features (primal); both give the same readout.
///
/// **Shapes:** weights are `[classes][features]` on scaled features.
public final class RidgeReadout implements Classifier {
  private final Scaling scaling;
  private final float[][] weights;
  private final float[] bias;
  private final double penalty;

  private RidgeReadout(Scaling scaling, float[][] weights, float[] bias, double penalty) {
    this.scaling = scaling;
    this.weights = weights;
    this.bias = bias;
    this.penalty = penalty;
  }

  /// A readout from stored parts.
  public static RidgeReadout of(Scaling scaling, float[][] weights, float[] bias, double penalty) {
    return new RidgeReadout(scaling, weights, bias, penalty);
  }

  /// Fits one readout for each penalty; the expensive product is shared.
  ///
  /// @param penalties relative to the mean squared length of a scaled recording
  public static RidgeReadout[] fit(Counts counts, int[] labels, int classes, double... penalties) {
    if (counts.size() != labels.length || counts.size() < 2) {
      throw SpillwayException.badInput(
          "%d recordings with %d labels, at least 2 of each are needed",
          counts.size(), labels.length);
    }
    for (int label : labels) {
      if (label < 0 || label >= classes) {
        throw SpillwayException.badInput("label %d, 0 to %d are possible", label, classes - 1);
      }
    }
    for (double penalty : penalties) {
      if (!(penalty > 0)) {
        throw SpillwayException.badInput("a penalty of %s, above 0 is possible", penalty);
      }
    }
    Scaling scaling = Scaling.of(counts);
    float[] bias = new float[classes];
    for (int label : labels) {
      bias[label] += 2f / labels.length;
    }
    for (int c = 0; c < classes; c++) {
      bias[c] -= 1;
    }
    Problem problem =
        counts.size() < counts.width()
            ? Problem.dual(counts, scaling)
            : Problem.primal(counts, scaling);
    RidgeReadout[] out = new RidgeReadout[penalties.length];
    for (int p = 0; p < penalties.length; p++) {
      out[p] =
          new RidgeReadout(scaling, problem.solve(labels, bias, penalties[p]), bias, penalties[p]);
    }
    return out;
  }

  public int classes() {
    return weights.length;
  }

  public Scaling scaling() {
    return scaling;
  }

  public float[][] weights() {
    return weights;
  }

  public float[] bias() {
    return bias;
  }

  public double penalty() {
    return penalty;
  }

  /// Numbers that were learned.
  public long parameters() {
    return (long) classes() * (scaling.mean().length + 1);
  }

  @Override
  public float[] scores(float[] counts) {
    float[] row = counts.clone();
    scaling.apply(row);
    float[] out = bias.clone();
    for (int c = 0; c < out.length; c++) {
      out[c] += Dense.dot(weights[c], 0, row, 0, row.length);
    }
    return out;
  }

  /// The products of all pairs of features (primal) or of recordings (dual).
  private record Problem(Counts counts, Scaling scaling, boolean dual, double[][] gram) {
    static Problem primal(Counts counts, Scaling scaling) {
      Gram gram = new Gram(counts.width());
      float[][] chunk = new float[Gram.CHUNK][counts.width()];
      for (int from = 0; from < counts.size(); from += Gram.CHUNK) {
        int start = from;
        int count = Math.min(Gram.CHUNK, counts.size() - from);
        IntStream.range(0, count)
            .parallel()
            .forEach(k -> {
              counts.copy(start + k, chunk[k]);
              scaling.apply(chunk[k]);
            });
        gram.add(chunk, count);
      }
      return new Problem(counts, scaling, false, gram.lower());
    }

    static Problem dual(Counts counts, Scaling scaling) {
      int n = counts.size();
      Gram gram = new Gram(n);
      float[][] chunk = new float[Gram.CHUNK][n];
      for (int from = 0; from < counts.width(); from += Gram.CHUNK) {
        int start = from;
        int count = Math.min(Gram.CHUNK, counts.width() - from);
        IntStream.range(0, count)
            .parallel()
            .forEach(k -> {
              int j = start + k;
              for (int i = 0; i < n; i++) {
                chunk[k][i] = (counts.at(i, j) - scaling.mean()[j]) * scaling.factor()[j];
              }
            });
        gram.add(chunk, count);
      }
      return new Problem(counts, scaling, true, gram.lower());
    }

    float[][] solve(int[] labels, float[] bias, double penalty) {
      int n = gram.length;
      double trace = 0;
      for (int i = 0; i < n; i++) {
        trace += gram[i][i];
      }
      double ridge = penalty * trace / counts.size();
      double[][] a = new double[n][];
      for (int i = 0; i < n; i++) {
        a[i] = gram[i].clone();
        a[i][i] += ridge;
      }
      Cholesky cholesky = Cholesky.of(a);
      int classes = bias.length;
      double[][] right = new double[classes][n];
      if (dual) {
        for (int i = 0; i < n; i++) {
          for (int c = 0; c < classes; c++) {
            right[c][i] = (labels[i] == c ? 1 : -1) - bias[c];
          }
        }
      } else {
        correlate(labels, bias, right);
      }
      double[][] solution = new double[classes][];
      IntStream.range(0, classes).parallel().forEach(c -> solution[c] = cholesky.solve(right[c]));
      return dual ? back(solution) : narrow(solution);
    }

    /// Right sides of the primal problem: features times targets.
    private void correlate(int[] labels, float[] bias, double[][] right) {
      int classes = bias.length;
      double[][] sums = new double[classes][counts.width()];
      float[] row = new float[counts.width()];
      double[] total = new double[counts.width()];
      for (int i = 0; i < counts.size(); i++) {
        counts.copy(i, row);
        scaling.apply(row);
        double[] of = sums[labels[i]];
        for (int j = 0; j < row.length; j++) {
          of[j] += row[j];
          total[j] += row[j];
        }
      }
      for (int c = 0; c < classes; c++) {
        for (int j = 0; j < total.length; j++) {
          // targets are 1 - bias inside the class and -1 - bias outside
          right[c][j] = 2 * sums[c][j] - (1 + bias[c]) * total[j];
        }
      }
    }

    private float[][] narrow(double[][] solution) {
      float[][] out = new float[solution.length][counts.width()];
      for (int c = 0; c < out.length; c++) {
        for (int j = 0; j < out[c].length; j++) {
          out[c][j] = (float) solution[c][j];
        }
      }
      return out;
    }

    /// From coefficients of recordings to weights of features.
    private float[][] back(double[][] coefficients) {
      int classes = coefficients.length;
      float[][] out = new float[classes][counts.width()];
      IntStream.range(0, classes)
          .parallel()
          .forEach(c -> {
            double[] sum = new double[counts.width()];
            float[] row = new float[counts.width()];
            for (int i = 0; i < counts.size(); i++) {
              counts.copy(i, row);
              scaling.apply(row);
              for (int j = 0; j < row.length; j++) {
                sum[j] += coefficients[c][i] * row[j];
              }
            }
            for (int j = 0; j < sum.length; j++) {
              out[c][j] = (float) sum[j];
            }
          });
      return out;
    }
  }
}
