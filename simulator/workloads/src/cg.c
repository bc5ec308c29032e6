// Conjugate gradient after NAS CG: inverse power iteration on a random sparse symmetric matrix.
// Classes S (n 1400) and W (n 7000). The residual of every inner solution and the eigenvalue
// estimate's convergence are checked.
#include "runtime.h"
int main(int c, char **v) {
  int big = c > 1 && same(v[1], "W");
  int n = big ? 7000 : 1400, row = big ? 8 : 7, outer = 15;
  double shift = big ? 12 : 10;
  int cap = 2 * row + 1;
  int *col = grab(4UL * n * (cap * 4)); double *val = grab(8UL * n * (cap * 4)); int *len = grab(4UL * n);
  cap *= 4;
  for (int i = 0; i < n; i++) { len[i] = 1; col[i * cap] = i; val[i * cap] = shift + row; }
  u64 seed = 314159265;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < row; k++) {
      int j = (int)(nas_random(&seed) * n);
      double a = nas_random(&seed) - 0.5;
      if (j == i || len[i] >= cap || len[j] >= cap) continue;
      col[i * cap + len[i]] = j; val[i * cap + len[i]++] = a;
      col[j * cap + len[j]] = i; val[j * cap + len[j]++] = a;
    }
  double *x = grab(8UL * n), *z = grab(8UL * n), *r = grab(8UL * n), *p = grab(8UL * n), *q = grab(8UL * n);
  for (int i = 0; i < n; i++) x[i] = 1;
  double zeta = 0, before = 0, residual = 0;
  for (int it = 0; it < outer; it++) {
    double rho = 0;
    for (int i = 0; i < n; i++) { z[i] = 0; r[i] = p[i] = x[i]; rho += x[i] * x[i]; }
    for (int k = 0; k < 25; k++) {
      double pq = 0;
      for (int i = 0; i < n; i++) {
        double s = 0;
        for (int j = i * cap, e = j + len[i]; j < e; j++) s += val[j] * p[col[j]];
        q[i] = s; pq += p[i] * s;
      }
      double alpha = rho / pq, next = 0;
      for (int i = 0; i < n; i++) { z[i] += alpha * p[i]; r[i] -= alpha * q[i]; next += r[i] * r[i]; }
      double beta = next / rho;
      rho = next;
      for (int i = 0; i < n; i++) p[i] = r[i] + beta * p[i];
    }
    double xz = 0, zz = 0;
    residual = 0;
    for (int i = 0; i < n; i++) {
      double s = 0;
      for (int j = i * cap, e = j + len[i]; j < e; j++) s += val[j] * z[col[j]];
      residual += (x[i] - s) * (x[i] - s); xz += x[i] * z[i]; zz += z[i] * z[i];
    }
    before = zeta; zeta = shift + 1 / xz;
    double scale = 1 / root(zz);
    for (int i = 0; i < n; i++) x[i] = z[i] * scale;
  }
  text("zeta "); real(zeta); text(" residual "); real(root(residual)); text("\n");
  return verdict("cg", root(residual) < 1e-8 && absolute(zeta - before) < 0.05 * zeta);
}
