package io.spillway.diffusion;

import java.util.function.DoubleUnaryOperator;

/// Small symmetric matrices: eigenvalues by cyclic Jacobi rotations.
final class Symmetric {
  private Symmetric() {}

  static double[][] multiply(double[][] a, double[][] b) {
    int n = a.length;
    double[][] c = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        double v = a[i][k];
        for (int j = 0; j < n; j++) {
          c[i][j] += v * b[k][j];
        }
      }
    }
    return c;
  }

  /// The eigenvalues.
  static double[] values(double[][] matrix) {
    double[][] a = copy(matrix);
    rotate(a, new double[a.length][a.length]);
    double[] values = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      values[i] = a[i][i];
    }
    return values;
  }

  /// V f(L) V^T for the matrix V L V^T.
  static double[][] function(double[][] matrix, DoubleUnaryOperator f) {
    double[][] a = copy(matrix);
    int n = a.length;
    double[][] v = new double[n][n];
    rotate(a, v);
    double[][] out = new double[n][n];
    for (int k = 0; k < n; k++) {
      double value = f.applyAsDouble(a[k][k]);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          out[i][j] += v[i][k] * value * v[j][k];
        }
      }
    }
    return out;
  }

  /// Makes `a` diagonal; columns of `v` become its eigenvectors.
  private static void rotate(double[][] a, double[][] v) {
    int n = a.length;
    for (int i = 0; i < n; i++) {
      v[i][i] = 1;
    }
    for (int sweep = 0; sweep < 40; sweep++) {
      double off = 0;
      double all = 0;
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          all += a[i][j] * a[i][j];
          off += i == j ? 0 : a[i][j] * a[i][j];
        }
      }
      if (off <= 1e-24 * all) {
        return;
      }
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          rotateOne(a, v, p, q);
        }
      }
    }
  }

  private static void rotateOne(double[][] a, double[][] v, int p, int q) {
    if (Math.abs(a[p][q]) < 1e-300) {
      return;
    }
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.hypot(theta, 1));
    double c = 1 / Math.hypot(t, 1);
    double s = t * c;
    int n = a.length;
    for (int k = 0; k < n; k++) {
      double x = a[k][p];
      double y = a[k][q];
      a[k][p] = c * x - s * y;
      a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < n; k++) {
      double x = a[p][k];
      double y = a[q][k];
      a[p][k] = c * x - s * y;
      a[q][k] = s * x + c * y;
      double vx = v[k][p];
      double vy = v[k][q];
      v[k][p] = c * vx - s * vy;
      v[k][q] = s * vx + c * vy;
    }
  }

  private static double[][] copy(double[][] a) {
    double[][] c = new double[a.length][];
    for (int i = 0; i < a.length; i++) {
      c[i] = a[i].clone();
    }
    return c;
  }
}
