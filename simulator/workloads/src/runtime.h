// A runtime of its own for static programs without a C library: two Linux calls, arguments, printing.
#pragma once
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
#define NULL ((void *)0)

static inline long call3(long number, long a, long b, long c) {
  register long a7 asm("a7") = number, a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c;
  asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
  return a0;
}

static void text(const char *s) {
  long n = 0;
  while (s[n]) n++;
  call3(64, 1, (long)s, n);
}

static void number(long v) {
  char s[24];
  int i = 23;
  int negative = v < 0;
  u64 u = negative ? -(u64)v : (u64)v;
  s[i] = 0;
  do {
    s[--i] = '0' + u % 10;
    u /= 10;
  } while (u);
  if (negative) s[--i] = '-';
  text(s + i);
}

// Six decimals behind a power of ten.
static void real(double v) {
  if (v < 0) { text("-"); v = -v; }
  int e = 0;
  if (v > 0) {
    while (v >= 10) { v /= 10; e++; }
    while (v < 1) { v *= 10; e--; }
  }
  long m = (long)(v * 1e6 + 0.5);
  if (m >= 10000000) { m /= 10; e++; }
  number(m / 1000000);
  text(".");
  char d[7];
  long f = m % 1000000;
  for (int i = 5; i >= 0; i--, f /= 10) d[i] = '0' + f % 10;
  d[6] = 0;
  text(d);
  text("e");
  number(e);
}

static inline double absolute(double v) { return v < 0 ? -v : v; }

static inline double root(double v) {
  double r;
  asm("fsqrt.d %0, %1" : "=f"(r) : "f"(v));
  return r;
}

static int same(const char *a, const char *b) {
  while (*a && *a == *b) { a++; b++; }
  return *a == *b;
}

// The class that the first argument names, S without one; one that the program does not have ends it.
static char size_class(int count, char **arguments, const char *has) {
  if (count < 2) return 'S';
  for (const char *k = has; *k; k++) if (arguments[1][0] == *k && !arguments[1][1]) return *k;
  text("class "); text(arguments[1]); text(" is none of "); text(has); text("\n");
  call3(93, 2, 0, 0);
  return 0;
}

// Whether a value is within a relative distance of the expected one.
static inline int near(double value, double expected, double distance) {
  return absolute(value - expected) <= distance * absolute(expected);
}

static long decimal(const char *s) {
  long v = 0;
  while (*s >= '0' && *s <= '9') v = v * 10 + *s++ - '0';
  return v;
}

// Natural logarithm: exponent times ln 2 plus an atanh series on [sqrt(1/2), sqrt(2)).
static double logarithm(double v) {
  union { double d; u64 u; } x = {v};
  long e = (long)(x.u >> 52) - 1023;
  x.u = (x.u & 0xfffffffffffffUL) | 0x3ff0000000000000UL;
  double m = x.d;
  if (m > 1.4142135623730951) { m *= 0.5; e++; }
  double t = (m - 1) / (m + 1), t2 = t * t, s = 0, p = t;
  for (int k = 1; k < 30; k += 2) { s += p / k; p *= t2; }
  return e * 0.6931471805599453 + 2 * s;
}

static double exponential(double v) {
  long k = (long)(v * 1.4426950408889634 + (v < 0 ? -0.5 : 0.5));
  double r = v - k * 0.6931471805599453, t = 1, s = 1;
  for (int i = 1; i < 20; i++) { t *= r / i; s += t; }
  union { u64 u; double d; } x = {(u64)(k + 1023) << 52};
  return k < -1000 ? 0 : s * x.d;
}

static double sine(double v) {
  double turns = v * 0.15915494309189535;
  long k = (long)(turns + (turns < 0 ? -0.5 : 0.5));
  double r = v - k * 6.283185307179586, t = r, s = r;
  for (int i = 1; i < 16; i++) { t *= -r * r / ((2 * i) * (2 * i + 1)); s += t; }
  return s;
}

static double cosine(double v) { return sine(v + 1.5707963267948966); }

// The generator of the NAS benchmarks: x <- 5^13 x mod 2^46; returns x / 2^46.
static inline double nas_random(u64 *x) {
  *x = (*x * 1220703125UL) & 0x3fffffffffffUL;
  return (double)*x * 0x1p-46;
}

// 5^13 to the power n, modulo 2^46, applied to x.
static u64 nas_skip(u64 x, u64 n) {
  u64 a = 1220703125UL;
  for (; n; n >>= 1) {
    if (n & 1) x = (x * a) & 0x3fffffffffffUL;
    a = (a * a) & 0x3fffffffffffUL;
  }
  return x;
}

static u64 mix_state = 88172645463325252UL;
static inline u64 mix(void) {
  mix_state ^= mix_state << 13;
  mix_state ^= mix_state >> 7;
  mix_state ^= mix_state << 17;
  return mix_state;
}

static u8 *heap_next;
static void *grab(u64 bytes) {
  if (!heap_next) heap_next = (u8 *)((call3(214, 0, 0, 0) + 63) & -64);
  u8 *p = heap_next;
  heap_next += (bytes + 63) & -64UL;
  call3(214, (long)heap_next, 0, 0);
  return p;
}

static int verdict(const char *name, int right) {
  text(name);
  text(right ? ": verified\n" : ": WRONG\n");
  return right ? 0 : 1;
}

int main(int count, char **arguments);

__attribute__((used)) static void begin(long *stack) {
  call3(93, main((int)stack[0], (char **)(stack + 1)), 0, 0);
}

asm(".globl _start\n_start:\n.option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
    "mv a0, sp\nandi sp, sp, -16\ncall begin\n");

void *memset(void *d, int c, u64 n) { u8 *p = d; while (n--) *p++ = (u8)c; return d; }
void *memcpy(void *d, const void *s, u64 n) { u8 *p = d; const u8 *q = s; while (n--) *p++ = *q++; return d; }
