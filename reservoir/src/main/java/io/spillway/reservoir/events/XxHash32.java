package io.spillway.reservoir.events;

/// The 32-bit xxHash that LZ4 frames check themselves with.
///
/// **Source:** the published xxHash specification.
final class XxHash32 {
  private static final int P1 = 0x9E3779B1;
  private static final int P2 = 0x85EBCA77;
  private static final int P3 = 0xC2B2AE3D;
  private static final int P4 = 0x27D4EB2F;
  private static final int P5 = 0x165667B1;

  private XxHash32() {}

  static int of(byte[] data, int from, int to) {
    int i = from;
    int hash;
    if (to - from >= 16) {
      int[] lanes = {0x24234428, P2, 0, -P1}; // P1 + P2, P2, 0, -P1
      while (to - i >= 16) {
        for (int lane = 0; lane < 4; lane++, i += 4) {
          lanes[lane] = Integer.rotateLeft(lanes[lane] + word(data, i) * P2, 13) * P1;
        }
      }
      hash =
          Integer.rotateLeft(lanes[0], 1)
              + Integer.rotateLeft(lanes[1], 7)
              + Integer.rotateLeft(lanes[2], 12)
              + Integer.rotateLeft(lanes[3], 18);
    } else {
      hash = P5;
    }
    hash += to - from;
    for (; to - i >= 4; i += 4) {
      hash = Integer.rotateLeft(hash + word(data, i) * P3, 17) * P4;
    }
    for (; i < to; i++) {
      hash = Integer.rotateLeft(hash + (data[i] & 255) * P5, 11) * P1;
    }
    hash = (hash ^ hash >>> 15) * P2;
    hash = (hash ^ hash >>> 13) * P3;
    return hash ^ hash >>> 16;
  }

  static int word(byte[] data, int i) {
    return data[i] & 255
        | (data[i + 1] & 255) << 8
        | (data[i + 2] & 255) << 16
        | (data[i + 3] & 255) << 24;
  }
}
