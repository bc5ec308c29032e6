package io.spillway.reservoir.learn;

import java.util.Arrays;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The sum of `x xᵀ` over many vectors, gathered chunk by chunk on all cores: products in single
/// precision, sums over chunks in double.
///
/// **Shapes:** the result is `[n][n]`, its lower triangle filled.
final class Gram {
  /// Vectors that are multiplied at once.
  static final int CHUNK = 256;

  private static final int PANEL = 32;
  private static final int ROWS = 4;
  private static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.length() > 16
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private final int n;
  private final int panels;
  private final float[][] packed;
  private final double[][] sum;

  Gram(int n) {
    this.n = n;
    this.panels = (n + PANEL - 1) / PANEL;
    this.packed = new float[panels][CHUNK * PANEL];
    this.sum = new double[n][];
    for (int i = 0; i < n; i++) {
      sum[i] = new double[i + 1];
    }
  }

  /// Adds up to [#CHUNK] vectors.
  void add(float[][] vectors, int count) {
    IntStream.range(0, panels)
        .parallel()
        .forEach(p -> {
          float[] to = packed[p];
          int width = Math.min(PANEL, n - p * PANEL);
          Arrays.fill(to, 0);
          for (int k = 0; k < count; k++) {
            System.arraycopy(vectors[k], p * PANEL, to, k * PANEL, width);
          }
        });
    IntStream.range(0, panels).parallel().map(p -> panels - 1 - p).forEach(p -> rows(p, count));
  }

  private void rows(int p, int count) {
    float[] tile = new float[PANEL * PANEL];
    for (int q = 0; q <= p; q++) {
      for (int r = 0; r < PANEL; r += ROWS) {
        for (int c = 0; c < PANEL; c += 2 * LANES) {
          multiply(packed[p], r, packed[q], c, count, tile);
        }
      }
      int height = Math.min(PANEL, n - p * PANEL);
      for (int r = 0; r < height; r++) {
        double[] row = sum[p * PANEL + r];
        int width = Math.min(PANEL, row.length - q * PANEL);
        for (int c = 0; c < width; c++) {
          row[q * PANEL + c] += tile[r * PANEL + c];
        }
      }
    }
  }

  private static void multiply(float[] a, int r, float[] b, int c, int count, float[] tile) {
    FloatVector s00 = FloatVector.zero(SPECIES);
    FloatVector s01 = s00;
    FloatVector s10 = s00;
    FloatVector s11 = s00;
    FloatVector s20 = s00;
    FloatVector s21 = s00;
    FloatVector s30 = s00;
    FloatVector s31 = s00;
    for (int k = 0, at = 0; k < count; k++, at += PANEL) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, at + c);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, at + c + LANES);
      FloatVector a0 = FloatVector.broadcast(SPECIES, a[at + r]);
      FloatVector a1 = FloatVector.broadcast(SPECIES, a[at + r + 1]);
      FloatVector a2 = FloatVector.broadcast(SPECIES, a[at + r + 2]);
      FloatVector a3 = FloatVector.broadcast(SPECIES, a[at + r + 3]);
      s00 = a0.fma(b0, s00);
      s01 = a0.fma(b1, s01);
      s10 = a1.fma(b0, s10);
      s11 = a1.fma(b1, s11);
      s20 = a2.fma(b0, s20);
      s21 = a2.fma(b1, s21);
      s30 = a3.fma(b0, s30);
      s31 = a3.fma(b1, s31);
    }
    s00.intoArray(tile, r * PANEL + c);
    s01.intoArray(tile, r * PANEL + c + LANES);
    s10.intoArray(tile, (r + 1) * PANEL + c);
    s11.intoArray(tile, (r + 1) * PANEL + c + LANES);
    s20.intoArray(tile, (r + 2) * PANEL + c);
    s21.intoArray(tile, (r + 2) * PANEL + c + LANES);
    s30.intoArray(tile, (r + 3) * PANEL + c);
    s31.intoArray(tile, (r + 3) * PANEL + c + LANES);
  }

  /// The lower triangle, row by row; the caller may change it.
  double[][] lower() {
    return sum;
  }
}
