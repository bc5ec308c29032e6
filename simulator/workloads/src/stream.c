// Copy, scale, add, triad over three arrays of N thousand doubles (100), R rounds (10).
#include "runtime.h"
int main(int c, char **v) {
  long n = (c > 1 ? decimal(v[1]) : 100) * 1000, rounds = c > 2 ? decimal(v[2]) : 10;
  double *a = grab(8 * n), *b = grab(8 * n), *d = grab(8 * n), x = 1, y = 2, z = 0;
  for (long i = 0; i < n; i++) { a[i] = 1; b[i] = 2; d[i] = 0; }
  for (long r = 0; r < rounds; r++) {
    for (long i = 0; i < n; i++) d[i] = a[i];
    for (long i = 0; i < n; i++) b[i] = 0.5 * d[i];
    for (long i = 0; i < n; i++) d[i] = a[i] + b[i];
    for (long i = 0; i < n; i++) a[i] = b[i] + 0.25 * d[i];
    z = x; y = 0.5 * z; z = x + y; x = y + 0.25 * z;
  }
  int right = 1;
  for (long i = 0; i < n; i++) right &= a[i] == x && b[i] == y && d[i] == z;
  return verdict("stream", right);
}
