// Multigrid after NAS MG: V cycles for the Poisson equation on a periodic cube. Classes S (32^3,
// 4 cycles) and W (64^3, 8 cycles). Every cycle must shrink the residual.
#include "runtime.h"
static double *u[8], *f[8], *r[8];
static inline long at(int n, int x, int y, int z) { return ((long)(z & n - 1) * n + (y & n - 1)) * n + (x & n - 1); }
static void smooth(int l, int n, int sweeps) {
  for (int s = 0; s < sweeps; s++)
    for (int z = 0; z < n; z++) for (int y = 0; y < n; y++) for (int x = 0; x < n; x++) {
      double nb = u[l][at(n, x + 1, y, z)] + u[l][at(n, x - 1, y, z)] + u[l][at(n, x, y + 1, z)]
          + u[l][at(n, x, y - 1, z)] + u[l][at(n, x, y, z + 1)] + u[l][at(n, x, y, z - 1)];
      u[l][at(n, x, y, z)] = (nb - f[l][at(n, x, y, z)]) / 6;
    }
}
static double residual(int l, int n) {
  double norm = 0;
  for (int z = 0; z < n; z++) for (int y = 0; y < n; y++) for (int x = 0; x < n; x++) {
    long i = at(n, x, y, z);
    double nb = u[l][at(n, x + 1, y, z)] + u[l][at(n, x - 1, y, z)] + u[l][at(n, x, y + 1, z)]
        + u[l][at(n, x, y - 1, z)] + u[l][at(n, x, y, z + 1)] + u[l][at(n, x, y, z - 1)];
    r[l][i] = f[l][i] - (nb - 6 * u[l][i]); norm += r[l][i] * r[l][i];
  }
  return norm;
}
static void cycle(int l, int n) {
  smooth(l, n, n > 4 ? 2 : 20);
  if (n <= 4) return;
  residual(l, n);
  int h = n / 2;
  for (int z = 0; z < h; z++) for (int y = 0; y < h; y++) for (int x = 0; x < h; x++) {
    double s = 0;
    for (int k = 0; k < 8; k++) s += r[l][at(n, 2 * x + (k & 1), 2 * y + (k >> 1 & 1), 2 * z + (k >> 2))];
    f[l + 1][at(h, x, y, z)] = s / 2; u[l + 1][at(h, x, y, z)] = 0;
  }
  cycle(l + 1, h);
  for (int z = 0; z < n; z++) for (int y = 0; y < n; y++) for (int x = 0; x < n; x++)
    u[l][at(n, x, y, z)] += u[l + 1][at(h, x / 2, y / 2, z / 2)];
  smooth(l, n, 2);
}
int main(int c, char **v) {
  int big = c > 1 && same(v[1], "W"), n = big ? 64 : 32, cycles = big ? 8 : 4;
  for (int l = 0, m = n; m >= 4; l++, m /= 2) { u[l] = grab(8UL * m * m * m); f[l] = grab(8UL * m * m * m); r[l] = grab(8UL * m * m * m); }
  u64 seed = 314159265;
  for (int k = 0; k < 20; k++) f[0][(long)(nas_random(&seed) * n * n * n)] += k & 1 ? -1 : 1;
  double first = residual(0, n), last = first; int right = 1;
  for (int k = 0; k < cycles; k++) { cycle(0, n); double now = residual(0, n); right &= now < 0.5 * last; last = now; }
  text("residual "); real(root(first)); text(" to "); real(root(last)); text("\n");
  return verdict("mg", right);
}
