// Breadth-first search after GAP: top-down, bottom-up while the frontier is large. Arguments:
// kronecker|uniform, log2 of nodes (14), degree (16). Every parent must be one level up.
#include "graph.h"
int main(int c, char **v) {
  make_graph(c, v, 14, 16);
  int *parent = grab(4UL * nodes), *level = grab(4UL * nodes), *queue = grab(4UL * nodes), source = busiest();
  for (int i = 0; i < nodes; i++) parent[i] = level[i] = -1;
  long head = 0, tail = 1; int depth = 0;
  queue[0] = source; parent[source] = source; level[source] = 0;
  while (head < tail) {
    long end = tail;
    if (end - head > nodes / 16) {
      for (int i = 0; i < nodes; i++) if (parent[i] < 0)
        for (long e = first[i]; e < first[i + 1]; e++) if (level[to[e]] == depth) { parent[i] = to[e]; level[i] = depth + 1; queue[tail++] = i; break; }
      head = end;
    } else for (; head < end; head++) { int a = queue[head]; for (long e = first[a]; e < first[a + 1]; e++) if (parent[to[e]] < 0) { parent[to[e]] = a; level[to[e]] = depth + 1; queue[tail++] = to[e]; } }
    depth++;
  }
  int right = 1;
  for (int i = 0; i < nodes; i++) {
    if (parent[i] >= 0 && i != source) right &= level[parent[i]] == level[i] - 1;
    for (long e = first[i]; e < first[i + 1]; e++) right &= (level[i] < 0) == (level[to[e]] < 0) && level[i] - level[to[e]] <= 1;
  }
  text("reached "); number(tail); text(" levels "); number(depth); text("\n");
  return verdict("bfs", right);
}
