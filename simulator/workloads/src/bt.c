// Block tridiagonal in the manner of NAS BT: along each axis of a cube, lines of 5x5 blocks are solved by block
// elimination. Grids are those of NAS classes S (12^3) and W (24^3), with 10 and 20 steps (NAS: 60 and 200); the
// equations are ours, not those of flow, so NAS's verification values do not apply. Solutions are put back into their
// systems.
#include "runtime.h"
enum { M = 5, LONGEST = 24 };
typedef double Block[M][M];
static Block diag[LONGEST], lower, upper, gain[LONGEST];
static double rhs[LONGEST][M];
static void fill(Block d, const double *x) {
  for (int i = 0; i < M; i++) for (int j = 0; j < M; j++) d[i][j] = (i == j ? 6 : 0.2 / (1 + i + j)) + 0.01 * x[i] * x[j];
}
// Solves a against several right sides in place, without pivoting: the blocks are dominant.
static void solve(Block a, Block r, double *y) {
  for (int p = 0; p < M; p++) {
    double inv = 1 / a[p][p];
    for (int j = p; j < M; j++) a[p][j] *= inv;
    for (int j = 0; j < M; j++) r[p][j] *= inv;
    y[p] *= inv;
    for (int i = 0; i < M; i++) if (i != p) {
      double f = a[i][p];
      for (int j = p; j < M; j++) a[i][j] -= f * a[p][j];
      for (int j = 0; j < M; j++) r[i][j] -= f * r[p][j];
      y[i] -= f * y[p];
    }
  }
}
int main(int c, char **v) {
  int big = size_class(c, v, "SW") == 'W', n = big ? 24 : 12, steps = big ? 20 : 10;
  long size = (long)n * n * n;
  double *u = grab(8 * size * M), worst = 0;
  u64 seed = 314159265;
  for (long i = 0; i < size * M; i++) u[i] = nas_random(&seed);
  for (int i = 0; i < M; i++) for (int j = 0; j < M; j++) { lower[i][j] = i == j ? -1 : 0.02 * (i - j); upper[i][j] = i == j ? -1 : 0.03 * (j - i); }
  for (int s = 0; s < steps; s++)
    for (int axis = 0; axis < 3; axis++) {
      long stride = axis == 0 ? 1 : axis == 1 ? n : (long)n * n;
      for (int a = 0; a < n; a++) for (int e = 0; e < n; e++) {
        long base = axis == 0 ? ((long)a * n + e) * n : axis == 1 ? (long)a * n * n + e : (long)a * n + e;
        for (int k = 0; k < n; k++) {
          double *x = u + (base + k * stride) * M;
          fill(diag[k], x);
          for (int i = 0; i < M; i++) rhs[k][i] = x[i];
          if (k) for (int i = 0; i < M; i++) {
            for (int j = 0; j < M; j++) {
              rhs[k][i] -= lower[i][j] * rhs[k - 1][j];
              double g = 0;
              for (int l = 0; l < M; l++) g += lower[i][l] * gain[k - 1][l][j];
              diag[k][i][j] -= g;
            }
          }
          for (int i = 0; i < M; i++) for (int j = 0; j < M; j++) gain[k][i][j] = upper[i][j];
          solve(diag[k], gain[k], rhs[k]);
        }
        for (int k = n - 2; k >= 0; k--) for (int i = 0; i < M; i++) for (int j = 0; j < M; j++) rhs[k][i] -= gain[k][i][j] * rhs[k + 1][j];
        for (int k = 0; k < n; k += 5) {
          double *x = u + (base + k * stride) * M; Block d; fill(d, x);
          for (int i = 0; i < M; i++) {
            double r = x[i];
            for (int j = 0; j < M; j++) r -= d[i][j] * rhs[k][j] + (k ? lower[i][j] * rhs[k - 1][j] : 0) + (k < n - 1 ? upper[i][j] * rhs[k + 1][j] : 0);
            if (absolute(r) > worst) worst = absolute(r);
          }
        }
        for (int k = 0; k < n; k++) for (int i = 0; i < M; i++) u[(base + k * stride) * M + i] = 0.5 * u[(base + k * stride) * M + i] + rhs[k][i];
      }
    }
  double sum = 0;
  for (long i = 0; i < size * M; i++) sum += u[i];
  text("sum "); real(sum); text(" worst residual "); real(worst); text("\n");
  return verdict("bt", worst < 1e-12);
}
