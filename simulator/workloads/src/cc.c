// Connected components after GAP: labels are hooked and compressed. Every edge joins equal labels.
#include "graph.h"
int main(int c, char **v) {
  make_graph(c, v, 14, 16);
  int *p = grab(4UL * nodes); long count = 0;
  for (int i = 0; i < nodes; i++) p[i] = i;
  for (int changed = 1; changed;) {
    changed = 0;
    for (int i = 0; i < nodes; i++) for (long e = first[i]; e < first[i + 1]; e++) {
      int a = p[i], b = p[to[e]];
      if (a < b && p[b] == b) { p[b] = a; changed = 1; }
    }
    for (int i = 0; i < nodes; i++) while (p[i] != p[p[i]]) p[i] = p[p[i]];
  }
  int right = 1;
  for (int i = 0; i < nodes; i++) { count += p[i] == i; for (long e = first[i]; e < first[i + 1]; e++) right &= p[i] == p[to[e]]; }
  text("components "); number(count); text("\n");
  return verdict("cc", right);
}
