package io.spillway.reservoir.convert;

/// The fast Fourier transform of a power of two of complex numbers, in place.
final class Fourier {
  private Fourier() {}

  /// @param inverse true for the inverse, without the factor 1/n
  static void transform(double[] re, double[] im, boolean inverse) {
    int n = re.length;
    if (Integer.bitCount(n) != 1 || im.length != n) {
      throw new IllegalArgumentException(n + " numbers, a power of two is needed");
    }
    for (int i = 1, j = 0; i < n; i++) {
      int bit = n >> 1;
      for (; (j & bit) != 0; bit >>= 1) {
        j ^= bit;
      }
      j ^= bit;
      if (i < j) {
        double t = re[i];
        re[i] = re[j];
        re[j] = t;
        t = im[i];
        im[i] = im[j];
        im[j] = t;
      }
    }
    for (int size = 2; size <= n; size *= 2) {
      double angle = (inverse ? 2 : -2) * Math.PI / size;
      int half = size / 2;
      double[] c = new double[half];
      double[] s = new double[half];
      for (int k = 0; k < half; k++) {
        c[k] = Math.cos(angle * k);
        s[k] = Math.sin(angle * k);
      }
      for (int from = 0; from < n; from += size) {
        for (int k = 0; k < half; k++) {
          int a = from + k;
          int b = a + half;
          double x = re[b] * c[k] - im[b] * s[k];
          double y = re[b] * s[k] + im[b] * c[k];
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }
}
