// Betweenness after GAP: Brandes' sums from four sources. A source's path counts must add up: the
// dependencies of a source's neighbours and itself equal the number of pairs behind it.
#include "graph.h"
int main(int c, char **v) {
  make_graph(c, v, 12, 16);
  double *paths = grab(8UL * nodes), *dep = grab(8UL * nodes), *score = grab(8UL * nodes), worst = 0;
  int *level = grab(4UL * nodes), *order = grab(4UL * nodes), source = busiest();
  for (int i = 0; i < nodes; i++) score[i] = 0;
  for (int s = 0; s < 4; s++) {
    for (int i = 0; i < nodes; i++) { level[i] = -1; paths[i] = dep[i] = 0; }
    long head = 0, tail = 1;
    order[0] = source; level[source] = 0; paths[source] = 1;
    for (; head < tail; head++) { int a = order[head]; for (long e = first[a]; e < first[a + 1]; e++) { int t = to[e]; if (level[t] < 0) { level[t] = level[a] + 1; order[tail++] = t; } if (level[t] == level[a] + 1) paths[t] += paths[a]; } }
    double total = 0;
    for (long k = tail - 1; k >= 0; k--) { int a = order[k]; for (long e = first[a]; e < first[a + 1]; e++) if (level[to[e]] == level[a] + 1) dep[a] += paths[a] / paths[to[e]] * (1 + dep[to[e]]); if (a != source) score[a] += dep[a]; total += level[a]; }
    // summed over the other nodes, dependencies count the inner nodes of every shortest path
    double inner = 0;
    for (int i = 0; i < nodes; i++) if (i != source) inner += dep[i];
    double gap = absolute(inner - (total - (tail - 1))) / (total + 1);
    if (gap > worst) worst = gap;
    source = order[tail / 2 + s];
  }
  double best = 0;
  for (int i = 0; i < nodes; i++) if (score[i] > best) best = score[i];
  text("highest "); real(best); text("\n");
  return verdict("bc", worst < 1e-9);
}
