package io.spillway.reservoir.events;

import java.io.IOException;
import java.io.OutputStream;

/// Little-endian numbers into a stream.
final class LittleEndian {
  private LittleEndian() {}

  static void i16(OutputStream out, int value) throws IOException {
    out.write(value);
    out.write(value >> 8);
  }

  static void i32(OutputStream out, int value) throws IOException {
    i16(out, value);
    i16(out, value >> 16);
  }
}
