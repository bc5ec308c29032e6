// NAS EP: pairs of Gaussian deviates by the polar method, counted in square annuli. Classes S (2^24
// pairs) and W (2^25) verify their sums against NAS's. Size T (2^18 pairs) is ours, for short runs:
// its counts must match the distribution.
#include "runtime.h"
int main(int c, char **v) {
  char size = size_class(c, v, "TSW");
  int small = size == 'T', big = size == 'W';
  long n = 1L << (small ? 18 : big ? 25 : 24), q[10] = {0}, pairs = 0;
  u64 seed = 271828183; double sx = 0, sy = 0;
  for (long i = 0; i < n; i++) {
    double x = 2 * nas_random(&seed) - 1, y = 2 * nas_random(&seed) - 1, t = x * x + y * y;
    if (t <= 1 && t > 0) {
      double f = root(-2 * logarithm(t) / t), a = x * f, b = y * f;
      double m = absolute(a) > absolute(b) ? absolute(a) : absolute(b);
      q[(int)m]++; sx += a; sy += b; pairs++;
    }
  }
  text("pairs "); number(pairs); text(" sums "); real(sx); text(" "); real(sy); text("\n");
  if (!small)
    return verdict("ep", near(sx, big ? -2.863319731645753e3 : -3.247834652034740e3, 1e-8)
        && near(sy, big ? -6.320053679109499e3 : -6.958407078382297e3, 1e-8));
  // the share of accepted points is pi/4, that of pairs within the unit square erf(1/sqrt 2)^2
  double share = (double)pairs / n, inner = (double)q[0] / pairs;
  return verdict("ep", absolute(share - 0.785398) < 3e-3 && absolute(inner - 0.466065) < 4e-3);
}
