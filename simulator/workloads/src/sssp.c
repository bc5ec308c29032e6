// Shortest paths after GAP: delta stepping with bucket lists. No edge may shorten a distance.
#include "graph.h"
static int weight(int a, int b) { u32 h = (u32)(a < b ? a : b) * 2654435761u ^ (u32)(a < b ? b : a) * 40503u; return 1 + (h >> 7) % 255; }
int main(int c, char **v) {
  make_graph(c, v, 14, 16);
  enum { DELTA = 32, BUCKETS = 4096 };
  int *dist = grab(4UL * nodes), *next = grab(4UL * nodes), *where = grab(4UL * nodes), head[BUCKETS], source = busiest();
  for (int i = 0; i < nodes; i++) { dist[i] = 1 << 30; where[i] = -1; }
  for (int i = 0; i < BUCKETS; i++) head[i] = -1;
  dist[source] = 0; head[0] = source; next[source] = -1; where[source] = 0;
  for (int b = 0; b < BUCKETS; b++)
    while (head[b] >= 0) {
      int a = head[b]; head[b] = next[a];
      if (where[a] != b) continue;
      where[a] = -1;
      for (long e = first[a]; e < first[a + 1]; e++) {
        int t = to[e], d = dist[a] + weight(a, t);
        if (d < dist[t]) {
          int k = d / DELTA;
          dist[t] = d;
          if (where[t] == k) continue;
          if (where[t] >= 0) { int *l = &head[where[t]]; while (*l != t) l = &next[*l]; *l = next[t]; }
          where[t] = k; next[t] = head[k]; head[k] = t;
        }
      }
    }
  int right = 1, far = 0; long sum = 0;
  for (int i = 0; i < nodes; i++) if (dist[i] < 1 << 30) {
    sum += dist[i]; if (dist[i] > far) far = dist[i];
    for (long e = first[i]; e < first[i + 1]; e++) right &= dist[to[e]] <= dist[i] + weight(i, to[e]);
  }
  text("farthest "); number(far); text(" sum "); number(sum); text("\n");
  return verdict("sssp", right && dist[source] == 0);
}
