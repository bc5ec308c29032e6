// NAS FT: a random complex box is transformed, damped step by step in frequency space and
// transformed back. Classes S (64^3) and W (128 x 128 x 32), 6 steps each, verify their checksums
// against NAS's. Size T (32^3) is ours, for short runs. Without damping the box must return.
#include "runtime.h"
static double *wr, *wi;
static int n[3];
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
        double cr = wr[len / 2 + k], ci = sign * wi[len / 2 + k];
        double xr = re[i + k + len / 2], xi = im[i + k + len / 2];
        double tr = xr * cr - xi * ci, ti = xr * ci + xi * cr;
        re[i + k + len / 2] = re[i + k] - tr; im[i + k + len / 2] = im[i + k] - ti;
        re[i + k] += tr; im[i + k] += ti;
      }
}
static void box(double *re, double *im, int sign, double *tr, double *ti) {
  for (int axis = 0; axis < 3; axis++) {
    long stride = axis == 0 ? 1 : axis == 1 ? n[0] : (long)n[0] * n[1];
    int rows = axis == 0 ? n[1] : n[0], planes = axis == 2 ? n[1] : n[2];
    long row = axis == 0 ? n[0] : 1, plane = axis == 2 ? n[0] : (long)n[0] * n[1];
    for (int a = 0; a < planes; a++) for (int b = 0; b < rows; b++) {
      long base = a * plane + b * row;
      for (int k = 0; k < n[axis]; k++) { tr[k] = re[base + k * stride]; ti[k] = im[base + k * stride]; }
      fft(tr, ti, n[axis], sign);
      for (int k = 0; k < n[axis]; k++) { re[base + k * stride] = tr[k]; im[base + k * stride] = ti[k]; }
    }
  }
}
// NAS's checksums after each step.
static const double sums_s[6][2] = {
    {5.546087004964e2, 4.845363331978e2}, {5.546385409190e2, 4.865304269511e2}, {5.546148406171e2, 4.883910722337e2},
    {5.545423607415e2, 4.901273169046e2}, {5.544255039624e2, 4.917475857993e2}, {5.542683411903e2, 4.932597244941e2}};
static const double sums_w[6][2] = {
    {5.673612178944e2, 5.293246849175e2}, {5.631436885271e2, 5.282149986629e2}, {5.594024089970e2, 5.270996558037e2},
    {5.560698047020e2, 5.260027904925e2}, {5.530898991250e2, 5.249400845633e2}, {5.504159734538e2, 5.239212247086e2}};
int main(int c, char **v) {
  char kind = size_class(c, v, "TSW");
  int small = kind == 'T', big = kind == 'W', longest = small ? 32 : big ? 128 : 64;
  n[0] = n[1] = longest; n[2] = big ? 32 : longest;
  long size = (long)n[0] * n[1] * n[2];
  double *re = grab(8 * size), *im = grab(8 * size), *r0 = grab(8 * size), *i0 = grab(8 * size);
  double *tr = grab(8UL * longest), *ti = grab(8UL * longest);
  wr = grab(8UL * longest); wi = grab(8UL * longest);
  for (int half = 1; half < longest; half *= 2) for (int k = 0; k < half; k++) {
    double angle = 3.141592653589793 * k / half;
    wr[half + k] = cosine(angle); wi[half + k] = sine(angle);
  }
  u64 seed = 314159265;
  for (long i = 0; i < size; i++) { re[i] = nas_random(&seed); im[i] = nas_random(&seed); }
  for (long i = 0; i < size; i++) { r0[i] = re[i]; i0[i] = im[i]; }
  box(re, im, 1, tr, ti);
  int right = 1;
  double sr = 0, si = 0, *br = grab(8 * size), *bi = grab(8 * size);
  for (int step = 0; step <= 6; step++) {
    // the damping exp(-4 alpha pi^2 t |k|^2), a factor of each axis
    double g[3][128];
    for (int axis = 0; axis < 3; axis++) for (int k = 0; k < n[axis]; k++) {
      int f = k >= n[axis] / 2 ? k - n[axis] : k;
      g[axis][k] = exponential(-4e-6 * 9.869604401089358 * step * f * f);
    }
    for (int z = 0; z < n[2]; z++) for (int y = 0; y < n[1]; y++) {
      double gzy = g[2][z] * g[1][y] / size;
      long base = ((long)z * n[1] + y) * n[0];
      for (int x = 0; x < n[0]; x++) { br[base + x] = re[base + x] * (gzy * g[0][x]); bi[base + x] = im[base + x] * (gzy * g[0][x]); }
    }
    box(br, bi, -1, tr, ti);
    if (step == 0) {
      double worst = 0;
      for (long i = 0; i < size; i++) { double d = absolute(br[i] - r0[i]) + absolute(bi[i] - i0[i]); if (d > worst) worst = d; }
      right &= worst < 1e-10;
      continue;
    }
    sr = si = 0;
    for (long k = 1; k <= 1024; k++) {
      long at = (5 * k % n[2] * n[1] + 3 * k % n[1]) * n[0] + k % n[0];
      sr += br[at]; si += bi[at];
    }
    if (!small) {
      const double *sums = big ? sums_w[step - 1] : sums_s[step - 1];
      right &= near(sr, sums[0], 1e-12) && near(si, sums[1], 1e-12);
    }
  }
  text("checksum "); real(sr); text(" "); real(si); text("\n");
  return verdict("ft", right);
}
