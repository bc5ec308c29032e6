package io.spillway.reservoir.events;

/// The 32-bit hash with which HDF5 checks its headers.
///
/// **Source:** Bob Jenkins' published lookup3, little-endian, initial value 0.
final class Lookup3 {
  private Lookup3() {}

  static int of(byte[] data, int from, int to) {
    int length = to - from;
    int a = 0xDEADBEEF + length;
    int b = a;
    int c = a;
    int at = from;
    while (to - at > 12) {
      a += word(data, at, to);
      b += word(data, at + 4, to);
      c += word(data, at + 8, to);
      a -= c;
      a ^= Integer.rotateLeft(c, 4);
      c += b;
      b -= a;
      b ^= Integer.rotateLeft(a, 6);
      a += c;
      c -= b;
      c ^= Integer.rotateLeft(b, 8);
      b += a;
      a -= c;
      a ^= Integer.rotateLeft(c, 16);
      c += b;
      b -= a;
      b ^= Integer.rotateLeft(a, 19);
      a += c;
      c -= b;
      c ^= Integer.rotateLeft(b, 4);
      b += a;
      at += 12;
    }
    if (at == to) {
      return c;
    }
    a += word(data, at, to);
    b += word(data, at + 4, to);
    c += word(data, at + 8, to);
    c ^= b;
    c -= Integer.rotateLeft(b, 14);
    a ^= c;
    a -= Integer.rotateLeft(c, 11);
    b ^= a;
    b -= Integer.rotateLeft(a, 25);
    c ^= b;
    c -= Integer.rotateLeft(b, 16);
    a ^= c;
    a -= Integer.rotateLeft(c, 4);
    b ^= a;
    b -= Integer.rotateLeft(a, 14);
    c ^= b;
    return c - Integer.rotateLeft(b, 24);
  }

  /// Four bytes, those beyond the end as zeros.
  private static int word(byte[] data, int at, int to) {
    int value = 0;
    for (int k = 0; k < 4 && at + k < to; k++) {
      value |= (data[at + k] & 255) << 8 * k;
    }
    return value;
  }
}
