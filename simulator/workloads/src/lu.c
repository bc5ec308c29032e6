// Symmetric successive over-relaxation in the manner of NAS LU: a coupled five-component system on a cube, lower
// and upper sweeps in wavefront order. Grid and steps are those of NAS classes S (12^3, 50) and W (33^3, 30; NAS takes 300);
// the equations are ours, not those of flow, so NAS's verification values do not apply. The
// residual must fall by a factor of a thousand.
#include "runtime.h"
enum { M = 5 };
static int n; static double *u, *b;
static double coupling[M][M];
#define U(z, y, x) (u + (((long)(z) * (n + 2) + (y)) * (n + 2) + (x)) * M)
#define B(z, y, x) (b + (((long)(z) * (n + 2) + (y)) * (n + 2) + (x)) * M)
static void point(int z, int y, int x, double *d) {
  double *c = U(z, y, x), *w = U(z, y, x - 1), *e = U(z, y, x + 1), *s = U(z, y - 1, x), *t = U(z, y + 1, x), *lo = U(z - 1, y, x), *hi = U(z + 1, y, x), *f = B(z, y, x);
  for (int m = 0; m < M; m++) {
    double a = 0;
    for (int k = 0; k < M; k++) a += coupling[m][k] * c[k];
    d[m] = f[m] - a + w[m] + 0.9 * e[m] + s[m] + 0.9 * t[m] + lo[m] + 0.9 * hi[m];
  }
}
static double norm(void) {
  double s = 0, d[M];
  for (int z = 1; z <= n; z++) for (int y = 1; y <= n; y++) for (int x = 1; x <= n; x++) { point(z, y, x, d); for (int m = 0; m < M; m++) s += d[m] * d[m]; }
  return root(s);
}
int main(int c, char **v) {
  int big = size_class(c, v, "SW") == 'W', steps = big ? 30 : 50;
  n = big ? 33 : 12;
  long size = (long)(n + 2) * (n + 2) * (n + 2) * M;
  u = grab(8 * size); b = grab(8 * size);
  u64 seed = 314159265;
  for (long i = 0; i < size; i++) { u[i] = 0; b[i] = nas_random(&seed) - 0.5; }
  for (int m = 0; m < M; m++) for (int k = 0; k < M; k++) coupling[m][k] = m == k ? 7.5 : 0.1 / (1 + m + k);
  double first = norm(), d[M];
  for (int s = 0; s < steps; s++) {
    for (int z = 1; z <= n; z++) for (int y = 1; y <= n; y++) for (int x = 1; x <= n; x++) { point(z, y, x, d); double *p = U(z, y, x); for (int m = 0; m < M; m++) p[m] += 1.2 * d[m] / coupling[m][m]; }
    for (int z = n; z >= 1; z--) for (int y = n; y >= 1; y--) for (int x = n; x >= 1; x--) { point(z, y, x, d); double *p = U(z, y, x); for (int m = 0; m < M; m++) p[m] += 1.2 * d[m] / coupling[m][m]; }
  }
  double last = norm();
  text("residual "); real(first); text(" to "); real(last); text("\n");
  return verdict("lu", last < first * 1e-3);
}
