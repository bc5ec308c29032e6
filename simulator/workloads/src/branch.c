// Branches that follow a period of P (8; 0 random), N thousand of them (1000).
#include "runtime.h"
int main(int c, char **v) {
  long period = c > 1 ? decimal(v[1]) : 8, n = (c > 2 ? decimal(v[2]) : 1000) * 1000, taken = 0, check = 0;
  static u8 way[1 << 16];
  for (long i = 0; i < 1 << 16; i++) way[i] = period ? i % period < period / 2 : mix() & 1;
  volatile long sink = 0;
  for (long i = 0; i < n; i++) { if (way[i & 65535]) { taken++; sink = i; } else check ^= i; }
  long expected = 0;
  for (long i = 0; i < n; i++) expected += way[i & 65535];
  text("taken "); number(taken); text("\n");
  return verdict("branch", taken == expected);
}
