package io.spillway.testkit;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// Damages a sound file as a fuzzer's bytes say: parsers meet more of their own code so than with
/// bytes from nothing.
public final class Damage {
  private Damage() {}

  /// A copy of `sound` cut to a length and with some bytes changed.
  ///
  /// @param script five bytes a change: a position (modulo the length) and the byte's new value;
  ///   what is left over of it sets how many bytes are cut from the end
  public static byte[] of(byte[] sound, byte[] script) {
    byte[] out = sound.clone();
    ByteBuffer in = ByteBuffer.wrap(script);
    while (in.remaining() >= 5) {
      int at = Math.floorMod(in.getInt(), out.length);
      out[at] = in.get();
    }
    int cut = 0;
    while (in.hasRemaining()) {
      cut = cut * 256 + (in.get() & 255);
    }
    return Arrays.copyOf(out, (int) Math.max(0, out.length - (long) cut % (out.length + 1)));
  }

  /// A copy of `sound` in which pieces are replaced by other text: a position, a length up to 15, a
  /// count up to 15 and so many characters.
  public static String of(String sound, byte[] script) {
    StringBuilder out = new StringBuilder(sound);
    ByteBuffer in = ByteBuffer.wrap(script);
    while (in.remaining() >= 4 && !out.isEmpty()) {
      int at = Math.floorMod(in.getShort(), out.length());
      int end = Math.min(out.length(), at + (in.get() & 15));
      byte[] put = new byte[Math.min(in.get() & 15, in.remaining())];
      in.get(put);
      out.replace(at, end, new String(put, java.nio.charset.StandardCharsets.ISO_8859_1));
    }
    return out.toString();
  }
}
