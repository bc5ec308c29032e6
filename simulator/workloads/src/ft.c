// Fourier transform after NAS FT: a random complex cube is transformed, evolved and transformed
// back. Sizes S (32^3, 6 steps) and W (64^3), smaller than NAS's. Without evolution the cube must return.
#include "runtime.h"
static double *wr, *wi;
static void fft(double *re, double *im, int n, int sign) {
  for (int i = 1, j = 0; i < n; i++) {
    int b = n >> 1;
    for (; j & b; b >>= 1) j ^= b;
    j ^= b;
    if (i < j) { double t = re[i]; re[i] = re[j]; re[j] = t; t = im[i]; im[i] = im[j]; im[j] = t; }
  }
  for (int len = 2; len <= n; len <<= 1)
    for (int i = 0; i < n; i += len)
      for (int k = 0; k < len / 2; k++) {
        double cr = wr[k * (n / len)], ci = sign * wi[k * (n / len)];
        double xr = re[i + k + len / 2], xi = im[i + k + len / 2];
        double tr = xr * cr - xi * ci, ti = xr * ci + xi * cr;
        re[i + k + len / 2] = re[i + k] - tr; im[i + k + len / 2] = im[i + k] - ti;
        re[i + k] += tr; im[i + k] += ti;
      }
}
static void cube(double *re, double *im, int n, int sign, double *tr, double *ti) {
  for (int axis = 0; axis < 3; axis++) {
    long stride = axis == 0 ? 1 : axis == 1 ? n : (long)n * n;
    for (int a = 0; a < n; a++) for (int b = 0; b < n; b++) {
      long base = axis == 0 ? ((long)a * n + b) * n : axis == 1 ? (long)a * n * n + b : (long)a * n + b;
      for (int k = 0; k < n; k++) { tr[k] = re[base + k * stride]; ti[k] = im[base + k * stride]; }
      fft(tr, ti, n, sign);
      for (int k = 0; k < n; k++) { re[base + k * stride] = tr[k]; im[base + k * stride] = ti[k]; }
    }
  }
}
int main(int c, char **v) {
  int big = c > 1 && same(v[1], "W"), n = big ? 64 : 32, steps = 6;
  long size = (long)n * n * n;
  double *re = grab(8 * size), *im = grab(8 * size), *r0 = grab(8 * size), *i0 = grab(8 * size), *tr = grab(8UL * n), *ti = grab(8UL * n);
  wr = grab(8UL * n); wi = grab(8UL * n);
  for (int k = 0; k < n; k++) { wr[k] = cosine(6.283185307179586 * k / n); wi[k] = -sine(6.283185307179586 * k / n); }
  u64 seed = 314159265;
  for (long i = 0; i < size; i++) { re[i] = nas_random(&seed); im[i] = nas_random(&seed); }
  double e0 = 0, e1 = 0;
  for (long i = 0; i < size; i++) { r0[i] = re[i]; i0[i] = im[i]; e0 += re[i] * re[i] + im[i] * im[i]; }
  cube(re, im, n, 1, tr, ti);
  for (long i = 0; i < size; i++) e1 += re[i] * re[i] + im[i] * im[i];
  int right = absolute(e1 / size / e0 - 1) < 1e-9;
  double sr = 0, si = 0;
  double *br = grab(8 * size), *bi = grab(8 * size);
  for (int s = 0; s <= steps; s++) {
    for (long i = 0; i < size; i++) {
      int x = i % n, y = i / n % n, z = (int)(i / n / n);
      if (x > n / 2) x -= n;
      if (y > n / 2) y -= n;
      if (z > n / 2) z -= n;
      double g = s == 0 ? 1.0 / size : exponential(-4e-6 * 9.869604401 * s * (x * x + y * y + z * z)) / size;
      br[i] = re[i] * g; bi[i] = im[i] * g;
    }
    cube(br, bi, n, -1, tr, ti);
    if (s == 0) { double worst = 0; for (long i = 0; i < size; i++) { double d = absolute(br[i] - r0[i]) + absolute(bi[i] - i0[i]); if (d > worst) worst = d; } right &= worst < 1e-10; }
    for (long k = 1; k <= 1024; k++) { sr += br[k * 17 % size]; si += bi[k * 17 % size]; }
  }
  text("checksum "); real(sr); text(" "); real(si); text("\n");
  return verdict("ft", right);
}
