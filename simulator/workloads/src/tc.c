// Triangle count after GAP: sorted neighbour lists are intersected above the diagonal. The count is
// checked with bit marks.
#include "graph.h"
int main(int c, char **v) {
  make_graph(c, v, 12, 16);
  long triangles = 0, again = 0;
  for (int a = 0; a < nodes; a++) for (long e = first[a]; e < first[a + 1] && to[e] < a; e++) {
    int b = to[e];
    for (long i = first[a], j = first[b]; i < first[a + 1] && j < first[b + 1] && to[i] < b && to[j] < b;) {
      if (to[i] < to[j]) i++; else if (to[i] > to[j]) j++; else { triangles++; i++; j++; }
    }
  }
  u8 *mark = grab(nodes);
  for (int a = 0; a < nodes; a++) {
    for (long e = first[a]; e < first[a + 1]; e++) mark[to[e]] = 1;
    for (long e = first[a]; e < first[a + 1]; e++) for (long f = first[to[e]]; f < first[to[e] + 1]; f++) again += mark[to[f]];
    for (long e = first[a]; e < first[a + 1]; e++) mark[to[e]] = 0;
  }
  text("triangles "); number(triangles); text("\n");
  return verdict("tc", again == 6 * triangles);
}
