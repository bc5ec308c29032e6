package io.spillway.reservoir.learn;

import java.util.stream.IntStream;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/// Solves symmetric positive definite systems in double precision, by blocks on all cores.
final class Cholesky {
  private static final int BLOCK = 64;
  private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private final double[][] factor;

  private Cholesky(double[][] factor) {
    this.factor = factor;
  }

  /// Factors a matrix given by its lower triangle, which is overwritten.
  ///
  /// **Errors:** [ArithmeticException] when the matrix is not positive definite.
  static Cholesky of(double[][] a) {
    int n = a.length;
    double[][] packed = new double[BLOCK][n + 2 * LANES];
    for (int k = 0; k < n; k += BLOCK) {
      int end = Math.min(n, k + BLOCK);
      diagonal(a, k, end);
      int from = k;
      IntStream.range(end, n)
          .parallel()
          .forEach(i -> {
            double[] row = a[i];
            for (int j = from; j < end; j++) {
              double sum = row[j];
              double[] other = a[j];
              for (int m = from; m < j; m++) {
                sum -= row[m] * other[m];
              }
              row[j] = sum / other[j];
              packed[j - from][i] = row[j];
            }
          });
      int width = end - k;
      int blocks = (n - end + BLOCK - 1) / BLOCK;
      IntStream.range(0, blocks)
          .parallel()
          .map(b -> blocks - 1 - b)
          .forEach(b -> update(a, packed, end, end + b * BLOCK, width));
    }
    return new Cholesky(a);
  }

  private static void diagonal(double[][] a, int from, int end) {
    for (int j = from; j < end; j++) {
      for (int i = j; i < end; i++) {
        double sum = a[i][j];
        for (int m = from; m < j; m++) {
          sum -= a[i][m] * a[j][m];
        }
        if (i > j) {
          a[i][j] = sum / a[j][j];
        } else if (sum > 0) {
          a[j][j] = Math.sqrt(sum);
        } else {
          throw new ArithmeticException("the matrix is not positive definite in row " + j);
        }
      }
    }
  }

  /// Takes the product of the panel with itself off the rows `row .. row + BLOCK`.
  private static void update(double[][] a, double[][] packed, int start, int row, int width) {
    int last = Math.min(a.length, row + BLOCK);
    int i = row;
    for (; i + 3 < last; i += 4) {
      double[] r0 = a[i];
      double[] r1 = a[i + 1];
      double[] r2 = a[i + 2];
      double[] r3 = a[i + 3];
      int j = start;
      for (; j + 2 * LANES <= i + 1; j += 2 * LANES) {
        DoubleVector s00 = DoubleVector.fromArray(SPECIES, r0, j);
        DoubleVector s01 = DoubleVector.fromArray(SPECIES, r0, j + LANES);
        DoubleVector s10 = DoubleVector.fromArray(SPECIES, r1, j);
        DoubleVector s11 = DoubleVector.fromArray(SPECIES, r1, j + LANES);
        DoubleVector s20 = DoubleVector.fromArray(SPECIES, r2, j);
        DoubleVector s21 = DoubleVector.fromArray(SPECIES, r2, j + LANES);
        DoubleVector s30 = DoubleVector.fromArray(SPECIES, r3, j);
        DoubleVector s31 = DoubleVector.fromArray(SPECIES, r3, j + LANES);
        for (int m = 0; m < width; m++) {
          double[] p = packed[m];
          DoubleVector b0 = DoubleVector.fromArray(SPECIES, p, j);
          DoubleVector b1 = DoubleVector.fromArray(SPECIES, p, j + LANES);
          DoubleVector a0 = DoubleVector.broadcast(SPECIES, -p[i]);
          DoubleVector a1 = DoubleVector.broadcast(SPECIES, -p[i + 1]);
          DoubleVector a2 = DoubleVector.broadcast(SPECIES, -p[i + 2]);
          DoubleVector a3 = DoubleVector.broadcast(SPECIES, -p[i + 3]);
          s00 = a0.fma(b0, s00);
          s01 = a0.fma(b1, s01);
          s10 = a1.fma(b0, s10);
          s11 = a1.fma(b1, s11);
          s20 = a2.fma(b0, s20);
          s21 = a2.fma(b1, s21);
          s30 = a3.fma(b0, s30);
          s31 = a3.fma(b1, s31);
        }
        s00.intoArray(r0, j);
        s01.intoArray(r0, j + LANES);
        s10.intoArray(r1, j);
        s11.intoArray(r1, j + LANES);
        s20.intoArray(r2, j);
        s21.intoArray(r2, j + LANES);
        s30.intoArray(r3, j);
        s31.intoArray(r3, j + LANES);
      }
      for (int r = i; r < i + 4; r++) {
        rest(a[r], packed, r, j, width);
      }
    }
    for (; i < last; i++) {
      rest(a[i], packed, i, start, width);
    }
  }

  private static void rest(double[] row, double[][] packed, int i, int from, int width) {
    for (int m = 0; m < width; m++) {
      double[] p = packed[m];
      double factor = p[i];
      for (int j = from; j <= i; j++) {
        row[j] -= factor * p[j];
      }
    }
  }

  /// Solves for one right side.
  double[] solve(double[] right) {
    int n = factor.length;
    double[] x = right.clone();
    for (int i = 0; i < n; i++) {
      double sum = x[i];
      double[] row = factor[i];
      for (int j = 0; j < i; j++) {
        sum -= row[j] * x[j];
      }
      x[i] = sum / row[i];
    }
    for (int i = n - 1; i >= 0; i--) {
      double value = x[i] / factor[i][i];
      x[i] = value;
      double[] row = factor[i];
      for (int j = 0; j < i; j++) {
        x[j] -= row[j] * value;
      }
    }
    return x;
  }
}
