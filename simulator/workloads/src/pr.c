// PageRank after GAP: pull, damping 0.85, 20 rounds. Ranks of a graph without sinks sum to one.
#include "graph.h"
int main(int c, char **v) {
  make_graph(c, v, 14, 16);
  double *rank = grab(8UL * nodes), *give = grab(8UL * nodes), change = 0;
  for (int i = 0; i < nodes; i++) rank[i] = 1.0 / nodes;
  for (int it = 0; it < 20; it++) {
    double lost = 0; change = 0;
    for (int i = 0; i < nodes; i++) { long d = first[i + 1] - first[i]; give[i] = d ? rank[i] / d : 0; if (!d) lost += rank[i]; }
    for (int i = 0; i < nodes; i++) {
      double s = 0;
      for (long e = first[i]; e < first[i + 1]; e++) s += give[to[e]];
      double next = 0.15 / nodes + 0.85 * (s + lost / nodes);
      change += absolute(next - rank[i]); rank[i] = next;
    }
  }
  double sum = 0;
  for (int i = 0; i < nodes; i++) sum += rank[i];
  text("sum "); real(sum); text(" change "); real(change); text("\n");
  return verdict("pr", absolute(sum - 1) < 1e-9 && change < 1e-2);
}
