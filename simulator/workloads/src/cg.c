// NAS CG: inverse power iteration with conjugate gradients on a random sparse symmetric matrix, a
// weighted sum of outer products of sparse vectors. Classes S (n 1400) and W (n 7000) verify NAS's
// eigenvalue estimate and the residual of the last inner solution.
#include "runtime.h"
static int n, *start, *col;
static double *val, *x, *z, *r, *p, *q;

// Draws a sparse vector of `count` different places and values; returns how many entries it has
// once `centre` is among them, with value 1/2.
static int sparse(int count, int centre, u64 *seed, int *at, double *value, int *mark) {
  int power = 1, have = 0;
  while (power < n) power *= 2;
  while (have < count) {
    double drawn = nas_random(seed);
    int i = (int)(power * nas_random(seed));
    if (i >= n || mark[i] == centre + 1) continue;
    mark[i] = centre + 1; at[have] = i; value[have++] = drawn;
  }
  for (int k = 0; k < have; k++) if (at[k] == centre) { value[k] = 0.5; return have; }
  at[have] = centre; value[have] = 0.5;
  return have + 1;
}

// A = sum over i of rcond^(i/n) v_i v_i^T, plus rcond - shift on the diagonal; rows packed.
static void matrix(int count, double shift, u64 seed) {
  int wide = count + 1, *at = grab(4UL * n * wide), *len = grab(4UL * n), *mark = grab(4UL * n);
  double *value = grab(8UL * n * wide);
  for (int i = 0; i < n; i++) mark[i] = 0;
  for (int i = 0; i < n; i++) len[i] = sparse(count, i, &seed, at + i * wide, value + i * wide, mark);
  // every row with room for all its contributions, equal columns added up, then packed
  int *first = grab(4UL * (n + 1)), total = 0;
  for (int i = 0; i <= n; i++) first[i] = 0;
  for (int i = 0; i < n; i++) for (int k = 0; k < len[i]; k++) first[at[i * wide + k] + 1] += len[i];
  for (int i = 0; i < n; i++) first[i + 1] += first[i];
  total = first[n];
  start = grab(4UL * (n + 1)); col = grab(4UL * total); val = grab(8UL * total);
  int *used = grab(4UL * n);
  for (int i = 0; i < n; i++) used[i] = 0;
  double size = 1, ratio = exponential(logarithm(0.1) / n);
  for (int i = 0; i < n; i++, size *= ratio)
    for (int k = 0; k < len[i]; k++) {
      int row = at[i * wide + k], base = first[row];
      double scale = size * value[i * wide + k];
      for (int l = 0; l < len[i]; l++) {
        int c = at[i * wide + l], e = base;
        double v = scale * value[i * wide + l] + (c == row && row == i ? 0.1 - shift : 0);
        while (e < base + used[row] && col[e] != c) e++;
        if (e < base + used[row]) val[e] += v;
        else { col[e] = c; val[e] = v; used[row]++; }
      }
    }
  // columns in ascending order, rows one after another
  int next = 0;
  for (int row = 0; row < n; row++) {
    int base = first[row];
    for (int k = 1; k < used[row]; k++) {
      int c = col[base + k], j = k; double v = val[base + k];
      for (; j && col[base + j - 1] > c; j--) { col[base + j] = col[base + j - 1]; val[base + j] = val[base + j - 1]; }
      col[base + j] = c; val[base + j] = v;
    }
    start[row] = next;
    for (int k = 0; k < used[row]; k++) { col[next] = col[base + k]; val[next++] = val[base + k]; }
  }
  start[n] = next;
}

static void multiply(const double *from, double *to) {
  for (int i = 0; i < n; i++) {
    double s = 0;
    for (int j = start[i]; j < start[i + 1]; j++) s += val[j] * from[col[j]];
    to[i] = s;
  }
}

// 25 steps towards A z = x; returns the norm of the residual.
static double solve(void) {
  double rho = 0, sum = 0;
  for (int i = 0; i < n; i++) { z[i] = 0; r[i] = p[i] = x[i]; rho += x[i] * x[i]; }
  for (int k = 0; k < 25; k++) {
    double pq = 0, next = 0;
    multiply(p, q);
    for (int i = 0; i < n; i++) pq += p[i] * q[i];
    double alpha = rho / pq;
    for (int i = 0; i < n; i++) { z[i] += alpha * p[i]; r[i] -= alpha * q[i]; }
    for (int i = 0; i < n; i++) next += r[i] * r[i];
    double beta = next / rho;
    rho = next;
    for (int i = 0; i < n; i++) p[i] = r[i] + beta * p[i];
  }
  multiply(z, r);
  for (int i = 0; i < n; i++) sum += (x[i] - r[i]) * (x[i] - r[i]);
  return root(sum);
}

int main(int c, char **v) {
  int big = size_class(c, v, "SW") == 'W';
  n = big ? 7000 : 1400;
  double shift = big ? 12 : 10, zeta = 0, residual = 0;
  u64 seed = 314159265;
  nas_random(&seed);
  matrix(big ? 8 : 7, shift, seed);
  x = grab(8UL * n); z = grab(8UL * n); r = grab(8UL * n); p = grab(8UL * n); q = grab(8UL * n);
  for (int i = 0; i < n; i++) x[i] = 1;
  for (int it = 0; it < 15; it++) {
    residual = solve();
    double xz = 0, zz = 0;
    for (int i = 0; i < n; i++) { xz += x[i] * z[i]; zz += z[i] * z[i]; }
    zeta = shift + 1 / xz;
    double scale = 1 / root(zz);
    for (int i = 0; i < n; i++) x[i] = z[i] * scale;
  }
  text("zeta "); real(zeta); text(" residual "); real(residual); text("\n");
  return verdict("cg", near(zeta, big ? 10.362595087124 : 8.5971775078648, 1e-10) && residual < 1e-10);
}
