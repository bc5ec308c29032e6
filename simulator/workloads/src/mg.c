// NAS MG: V cycles of a multigrid for the Poisson equation on a periodic cube, with NAS's four
// stencils. Classes S (32^3) and W (128^3), 4 cycles, verify the norm of the residual against NAS's.
#include "runtime.h"
enum { LEVELS = 7 };
static double *u[LEVELS], *r[LEVELS], *right_side;
static inline long at(int n, int x, int y, int z) { return ((long)(z & (n - 1)) * n + (y & (n - 1))) * n + (x & (n - 1)); }

// Adds a stencil of 27 points to a row: weights of the centre, the 6 faces, 12 edges, 8 corners. Sums over
// the four neighbour rows and the four diagonal ones are shared between the points of a row.
static void stencil(const double *from, int n, int y, int z, const double *w, double *faces, double *edges, double *to) {
  const double *c = from + at(n, 0, y, z);
  const double *s = from + at(n, 0, y - 1, z), *t = from + at(n, 0, y + 1, z), *lo = from + at(n, 0, y, z - 1), *hi = from + at(n, 0, y, z + 1);
  const double *ls = from + at(n, 0, y - 1, z - 1), *lt = from + at(n, 0, y + 1, z - 1), *hs = from + at(n, 0, y - 1, z + 1), *ht = from + at(n, 0, y + 1, z + 1);
  for (int x = 0; x < n; x++) { faces[x] = s[x] + t[x] + lo[x] + hi[x]; edges[x] = ls[x] + lt[x] + hs[x] + ht[x]; }
  for (int x = 0; x < n; x++) {
    int a = (x - 1) & (n - 1), b = (x + 1) & (n - 1);
    to[x] += w[0] * c[x] + w[1] * (c[a] + c[b] + faces[x]) + w[2] * (edges[x] + faces[a] + faces[b]) + w[3] * (edges[a] + edges[b]);
  }
}

static const double laplace[4] = {8.0 / 3, 0, -1.0 / 6, -1.0 / 12}; // -A
static const double smoother[4] = {-3.0 / 8, 1.0 / 32, -1.0 / 64, 0};
static double faces[128], edges[128], line[128];

// r = v - A u
static void residual(const double *v, const double *u, double *r, int n) {
  for (int z = 0; z < n; z++) for (int y = 0; y < n; y++) {
    long row = at(n, 0, y, z);
    for (int x = 0; x < n; x++) line[x] = v[row + x];
    stencil(u, n, y, z, laplace, faces, edges, line);
    for (int x = 0; x < n; x++) r[row + x] = line[x];
  }
}

// u = u + S r
static void smooth(const double *r, double *u, int n) {
  for (int z = 0; z < n; z++) for (int y = 0; y < n; y++) stencil(r, n, y, z, smoother, faces, edges, u + at(n, 0, y, z));
}

// The coarse residual: 1/2 of the centre, 1/4 of the faces, 1/8 of the edges, 1/16 of the corners.
static void coarsen(const double *fine, double *coarse, int h) {
  static const double w[4] = {0.5, 0.25, 0.125, 0.0625};
  int n = 2 * h;
  for (int z = 0; z < h; z++) for (int y = 0; y < h; y++) {
    for (int x = 0; x < n; x++) line[x] = 0;
    stencil(fine, n, 2 * y + 1, 2 * z + 1, w, faces, edges, line);
    for (int x = 0; x < h; x++) coarse[at(h, x, y, z)] = line[2 * x + 1];
  }
}

// Adds the trilinear interpolation of the coarse grid, whose points are the odd ones of the fine grid.
static void interpolate(const double *coarse, int h, double *fine) {
  int n = 2 * h;
  for (int z = 0; z < n; z++) for (int y = 0; y < n; y++) {
    const double *a = coarse + at(h, 0, (y - 1) >> 1, (z - 1) >> 1), *b = coarse + at(h, 0, y >> 1, (z - 1) >> 1);
    const double *c = coarse + at(h, 0, (y - 1) >> 1, z >> 1), *d = coarse + at(h, 0, y >> 1, z >> 1);
    double *to = fine + at(n, 0, y, z);
    for (int x = 0; x < h; x++) line[x] = 0.25 * (a[x] + b[x] + c[x] + d[x]);
    for (int x = 0; x < h; x++) { to[2 * x] += 0.5 * (line[(x - 1) & (h - 1)] + line[x]); to[2 * x + 1] += line[x]; }
  }
}

static void cycle(int top, int n) {
  for (int l = 1; l <= top; l++) coarsen(r[l - 1], r[l], n >> l);
  for (int l = top; l >= 1; l--) {
    int m = n >> l;
    for (long i = 0; i < (long)m * m * m; i++) u[l][i] = 0;
    if (l < top) { interpolate(u[l + 1], m / 2, u[l]); residual(r[l], u[l], r[l], m); }
    smooth(r[l], u[l], m);
  }
  interpolate(u[1], n / 2, u[0]);
  residual(right_side, u[0], r[0], n);
  smooth(r[0], u[0], n);
}

static double norm(long size) {
  double s = 0;
  for (long i = 0; i < size; i++) s += r[0][i] * r[0][i];
  return root(s / size);
}

int main(int c, char **v) {
  int big = size_class(c, v, "SW") == 'W', n = big ? 128 : 32, top = 0;
  long size = (long)n * n * n;
  for (int m = n; m >= 2; m /= 2) { u[top] = grab(8UL * m * m * m); r[top++] = grab(8UL * m * m * m); }
  top--;
  right_side = grab(8 * size);
  // +1 where the ten largest of the random numbers are, -1 where the ten smallest are
  u64 seed = 314159265;
  for (long i = 0; i < size; i++) { r[0][i] = nas_random(&seed); right_side[i] = u[0][i] = 0; }
  for (int k = 0; k < 10; k++) {
    long most = 0, least = 0;
    double high = -1, low = 2;
    for (long i = 0; i < size; i++) if (right_side[i] == 0) {
      if (r[0][i] > high) { high = r[0][i]; most = i; }
      if (r[0][i] < low) { low = r[0][i]; least = i; }
    }
    right_side[most] = 1; right_side[least] = -1;
  }
  residual(right_side, u[0], r[0], n);
  double first = norm(size);
  for (int k = 0; k < 4; k++) { cycle(top, n); residual(right_side, u[0], r[0], n); }
  double last = norm(size);
  text("residual "); real(first); text(" to "); real(last); text("\n");
  return verdict("mg", near(last, big ? 0.6467329375339e-5 : 0.5307707005734e-4, 1e-8));
}
