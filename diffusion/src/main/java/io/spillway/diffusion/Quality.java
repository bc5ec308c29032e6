package io.spillway.diffusion;

import java.util.List;

/// How near pictures are to those that one device makes, and how good by themselves.
///
/// **Shapes:** pictures are [3, size, size] in -1..1.
public final class Quality {
  private Quality() {}

  /// What [#psnr] gives at most, dB: equal but for rounding.
  public static final double MOST_DB = 150;

  /// Peak signal-to-noise ratio in dB of one picture, on floats with a peak of 2; [#MOST_DB] at
  /// most.
  public static double psnr(float[] a, float[] b, int offset, int count) {
    double squares = 0;
    for (int i = offset; i < offset + count; i++) {
      double d = a[i] - b[i];
      squares += d * d;
    }
    return Math.min(MOST_DB, 10 * Math.log10(4.0 / Math.max(1e-30, squares / count)));
  }

  /// Mean structural similarity over windows of 8 x 8 pixels, step 4, of one picture.
  ///
  /// **Source:** Wang et al., "Image Quality Assessment: From Error Visibility to Structural
  /// Similarity", with a flat window.
  public static double ssim(float[] a, float[] b, int offset, int size) {
    double c1 = Math.pow(0.01 * 2, 2);
    double c2 = Math.pow(0.03 * 2, 2);
    double sum = 0;
    int windows = 0;
    for (int k = 0; k < 3; k++) {
      for (int r = 0; r + 8 <= size; r += 4) {
        for (int c = 0; c + 8 <= size; c += 4) {
          double ma = 0;
          double mb = 0;
          double aa = 0;
          double bb = 0;
          double ab = 0;
          for (int y = 0; y < 8; y++) {
            for (int x = 0; x < 8; x++) {
              int at = offset + (k * size + r + y) * size + c + x;
              ma += a[at];
              mb += b[at];
              aa += a[at] * a[at];
              bb += b[at] * b[at];
              ab += a[at] * b[at];
            }
          }
          ma /= 64;
          mb /= 64;
          double va = aa / 64 - ma * ma;
          double vb = bb / 64 - mb * mb;
          double vab = ab / 64 - ma * mb;
          sum += (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
          windows++;
        }
      }
    }
    return sum / windows;
  }

  /// The mean jump between rows at the edges of strips over that elsewhere; 1 means no seam.
  public static double seamRatio(float[] a, int offset, int size, int strips) {
    if (strips < 2 || size % strips != 0) {
      return 1;
    }
    int rows = size / strips;
    double seam = 0;
    double other = 0;
    for (int k = 0; k < 3; k++) {
      for (int r = 1; r < size; r++) {
        double jump = 0;
        for (int c = 0; c < size; c++) {
          int at = offset + (k * size + r) * size + c;
          jump += Math.abs(a[at] - a[at - size]);
        }
        if (r % rows == 0) {
          seam += jump / (strips - 1);
        } else {
          other += jump / (size - strips);
        }
      }
    }
    return seam / Math.max(other, 1e-12);
  }

  /// The Fréchet distance between two sets of features: |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½).
  ///
  /// **Source:** Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", equation 6.
  public static double frechet(List<double[]> a, List<double[]> b) {
    double[] ma = mean(a);
    double[] mb = mean(b);
    double[][] ca = covariance(a, ma);
    double[][] cb = covariance(b, mb);
    double distance = 0;
    int n = ma.length;
    for (int i = 0; i < n; i++) {
      distance += (ma[i] - mb[i]) * (ma[i] - mb[i]) + ca[i][i] + cb[i][i];
    }
    // tr (C1 C2)^1/2 = tr (R C2 R)^1/2 with R = C1^1/2, which is symmetric
    double[][] root = Symmetric.function(ca, v -> Math.sqrt(Math.max(v, 0)));
    double[] values = Symmetric.values(Symmetric.multiply(Symmetric.multiply(root, cb), root));
    for (double v : values) {
      distance -= 2 * Math.sqrt(Math.max(v, 0));
    }
    return Math.max(distance, 0);
  }

  private static double[] mean(List<double[]> rows) {
    double[] mean = new double[rows.getFirst().length];
    for (double[] row : rows) {
      for (int i = 0; i < mean.length; i++) {
        mean[i] += row[i] / rows.size();
      }
    }
    return mean;
  }

  private static double[][] covariance(List<double[]> rows, double[] mean) {
    int n = mean.length;
    double[][] c = new double[n][n];
    for (double[] row : rows) {
      for (int i = 0; i < n; i++) {
        double d = (row[i] - mean[i]) / (rows.size() - 1);
        for (int j = 0; j < n; j++) {
          c[i][j] += d * (row[j] - mean[j]);
        }
      }
    }
    return c;
  }

  /// Mean and half-width of its 95 % interval (normal approximation).
  public record Interval(double mean, double half) {
    public static Interval of(double[] values) {
      double mean = java.util.Arrays.stream(values).average().orElse(0);
      double squares = 0;
      for (double v : values) {
        squares += (v - mean) * (v - mean);
      }
      double deviation = values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
      return new Interval(mean, 1.96 * deviation / Math.sqrt(values.length));
    }
  }
}
