// Pointer chase: one random cycle through N KiB (64), R rounds (1000 thousand steps).
#include "runtime.h"
int main(int c, char **v) {
  long n = (c > 1 ? decimal(v[1]) : 64) * 1024 / 64, steps = (c > 2 ? decimal(v[2]) : 1000) * 1000;
  long *ring = grab(n * 64);
  for (long i = 0; i < n; i++) ring[i * 8] = i;
  for (long i = n - 1; i > 0; i--) { long j = mix() % i, t = ring[i * 8]; ring[i * 8] = ring[j * 8]; ring[j * 8] = t; }
  long p = 0, back = 0;
  for (long k = 0; k < steps; k++) { p = ring[p * 8]; back += p == 0; }
  text("rounds "); number(back); text("\n");
  return verdict("pointer", back == steps / n);
}
