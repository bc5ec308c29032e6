// Embarrassingly parallel after NAS EP: Gaussian pairs by the polar method, counted in annuli.
// Sizes S (2^18 pairs) and W (2^21), smaller than NAS's. The counts must match the distribution.
#include "runtime.h"
int main(int c, char **v) {
  int big = c > 1 && same(v[1], "W");
  long n = big ? 1L << 21 : 1L << 18, q[10] = {0}, pairs = 0;
  u64 seed = 271828183; double sx = 0, sy = 0;
  for (long i = 0; i < n; i++) {
    double x = 2 * nas_random(&seed) - 1, y = 2 * nas_random(&seed) - 1, t = x * x + y * y;
    if (t <= 1 && t > 0) {
      double f = root(-2 * logarithm(t) / t), a = x * f, b = y * f;
      double m = absolute(a) > absolute(b) ? absolute(a) : absolute(b);
      q[(int)m]++; sx += a; sy += b; pairs++;
    }
  }
  // the share of accepted points is pi/4, that of pairs within the unit square erf(1/sqrt 2)^2
  double share = (double)pairs / n, inner = (double)q[0] / pairs;
  text("pairs "); number(pairs); text(" sums "); real(sx); text(" "); real(sy); text("\n");
  return verdict("ep", absolute(share - 0.785398) < 3e-3 && absolute(inner - 0.466065) < 4e-3);
}
