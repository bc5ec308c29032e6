// NAS IS: ranks keys that are sums of four random numbers, ten times, each with two keys changed.
// Classes S (2^16 keys below 2^11) and W (2^20 below 2^16) verify NAS's five ranks in every round;
// in the end the keys must be in order.
#include "runtime.h"
static const int at_s[5] = {48427, 17148, 23627, 62548, 4431}, rank_s[5] = {0, 18, 346, 64917, 65463};
static const int at_w[5] = {357773, 934767, 875723, 898999, 404505}, rank_w[5] = {1249, 11698, 1039987, 1043896, 1048018};
int main(int c, char **v) {
  int big = size_class(c, v, "SW") == 'W';
  int n = big ? 1 << 20 : 1 << 16, top = big ? 1 << 16 : 1 << 11;
  const int *at = big ? at_w : at_s, *nas = big ? rank_w : rank_s;
  int *key = grab(4UL * n), *count = grab(4UL * (top + 1)), *rank = grab(4UL * n);
  u64 seed = 314159265;
  for (int i = 0; i < n; i++) {
    double s = 0;
    for (int k = 0; k < 4; k++) s += nas_random(&seed);
    key[i] = (int)(s * (top / 4));
  }
  int right = 1;
  for (int it = 1; it <= 10; it++) {
    key[it] = it; key[it + 10] = top - it;
    for (int k = 0; k <= top; k++) count[k] = 0;
    for (int i = 0; i < n; i++) count[key[i]]++;
    for (int k = 0, sum = 0; k <= top; k++) { int h = count[k]; count[k] = sum; sum += h; }
    // how many keys are smaller: low ranks rise with the rounds, high ones fall
    for (int t = 0; t < 5; t++) {
      int expected = big ? (t < 2 ? nas[t] + it - 2 : nas[t] - it) : (t < 3 ? nas[t] + it : nas[t] - it);
      right &= count[key[at[t]]] == expected;
    }
    for (int i = 0; i < n; i++) rank[i] = count[key[i]]++;
  }
  int *sorted = grab(4UL * n);
  for (int i = 0; i < n; i++) sorted[i] = -1;
  for (int i = 0; i < n; i++) sorted[rank[i]] = key[i];
  right &= sorted[0] >= 0; u64 sum = 0;
  for (int i = 1; i < n; i++) right &= sorted[i - 1] <= sorted[i];
  for (int i = 0; i < n; i += 97) sum += (u64)sorted[i] * (i + 1);
  text("checksum "); number((long)sum); text("\n");
  return verdict("is", right);
}
