// Graphs in compressed rows, after the GAP benchmark: `uniform` picks both ends evenly, `kronecker`
// by the recursive quadrant probabilities 0.57, 0.19, 0.19, 0.05. Undirected, sorted, no duplicates.
#pragma once
#include "runtime.h"
static int nodes; static long *first; static int *to;
static void make_graph(int count, char **v, int scale, int degree) {
  int uniform = count > 1 && same(v[1], "uniform");
  if (count > 2) scale = (int)decimal(v[2]);
  if (count > 3) degree = (int)decimal(v[3]);
  nodes = 1 << scale;
  long edges = (long)nodes * degree / 2;
  int *a = grab(4 * edges), *b = grab(4 * edges);
  for (long e = 0; e < edges; e++) {
    if (uniform) { a[e] = mix() % nodes; b[e] = mix() % nodes; continue; }
    int x = 0, y = 0;
    for (int i = 0; i < scale; i++) {
      int r = mix() % 100;
      x = x * 2 + (r >= 76); y = y * 2 + ((r >= 57 && r < 76) || r >= 95);
    }
    a[e] = x; b[e] = y;
  }
  first = grab(8UL * (nodes + 1)); to = grab(8 * edges);
  for (int i = 0; i <= nodes; i++) first[i] = 0;
  for (long e = 0; e < edges; e++) if (a[e] != b[e]) { first[a[e] + 1]++; first[b[e] + 1]++; }
  for (int i = 0; i < nodes; i++) first[i + 1] += first[i];
  long *next = grab(8UL * nodes);
  for (int i = 0; i < nodes; i++) next[i] = first[i];
  for (long e = 0; e < edges; e++) if (a[e] != b[e]) { to[next[a[e]]++] = b[e]; to[next[b[e]]++] = a[e]; }
  // heapsort each row, then drop duplicates
  long out = 0;
  for (int i = 0; i < nodes; i++) {
    int *row = to + first[i]; long n = next[i] - first[i];
    for (long k = n / 2; k-- > 0;)
      for (long p = k, h; (h = 2 * p + 1) < n; p = h) { if (h + 1 < n && row[h + 1] > row[h]) h++; if (row[p] >= row[h]) break; int t = row[p]; row[p] = row[h]; row[h] = t; }
    for (long m = n - 1; m > 0; m--) {
      int t = row[0]; row[0] = row[m]; row[m] = t;
      for (long p = 0, h; (h = 2 * p + 1) < m; p = h) { if (h + 1 < m && row[h + 1] > row[h]) h++; if (row[p] >= row[h]) break; int s = row[p]; row[p] = row[h]; row[h] = s; }
    }
    long start = out;
    for (long k = 0; k < n; k++) if (k == 0 || row[k] != row[k - 1]) to[out++] = row[k];
    first[i] = start;
  }
  first[nodes] = out;
}
static int busiest(void) { int best = 0; for (int i = 1; i < nodes; i++) if (first[i + 1] - first[i] > first[best + 1] - first[best]) best = i; return best; }
