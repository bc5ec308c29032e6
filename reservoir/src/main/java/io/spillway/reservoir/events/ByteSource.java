package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Bytes of a file in order, with the offset for error messages; one buffer of 64 KiB whatever the
/// length of the file.
final class ByteSource implements AutoCloseable {
  private static final int BUFFER = 1 << 16;

  private final Path name;
  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER];
  private int position;
  private int limit;
  private long consumed;

  ByteSource(Path name, InputStream in) {
    this.name = name;
    this.in = in;
  }

  static ByteSource open(Path file) {
    if (Files.isDirectory(file)) {
      throw SpillwayException.badInput("%s is a folder, an event file is needed", file);
    }
    try {
      return new ByteSource(file, Files.newInputStream(file));
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// The offset of the next byte.
  long offset() {
    return consumed + position;
  }

  /// True if at least one byte is left.
  boolean hasMore() {
    return position < limit || fill();
  }

  private boolean fill() {
    consumed += limit;
    position = 0;
    try {
      limit = Math.max(0, in.read(buffer, 0, BUFFER));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + ": " + e.getMessage(), e);
    }
    return limit > 0;
  }

  int u8(String what) {
    if (position == limit && !fill()) {
      throw truncated(offset(), what);
    }
    return buffer[position++] & 255;
  }

  /// The next byte without taking it, -1 at the end.
  int peek() {
    return hasMore() ? buffer[position] & 255 : -1;
  }

  int u16le(String what) {
    int low = u8(what);
    return low | u8(what) << 8;
  }

  int i32le(String what) {
    int low = u16le(what);
    return low | u16le(what) << 16;
  }

  int i32be(String what) {
    int high = u8(what) << 24 | u8(what) << 16;
    return high | u8(what) << 8 | u8(what);
  }

  byte[] bytes(int count, String what) {
    // grown as bytes arrive, so that a corrupt length cannot ask for memory the file does not fill
    byte[] out = new byte[Math.min(count, BUFFER)];
    int have = 0;
    while (have < count) {
      if (position == limit && !fill()) {
        throw truncated(offset(), what);
      }
      int take = Math.min(count - have, limit - position);
      if (have + take > out.length) {
        out =
            java.util.Arrays.copyOf(
                out, (int) Math.min(count, Math.max(have + take, 2L * out.length)));
      }
      System.arraycopy(buffer, position, out, have, take);
      position += take;
      have += take;
    }
    return out;
  }

  void skip(long count, String what) {
    long left = count;
    while (left > 0) {
      if (position == limit && !fill()) {
        throw truncated(offset(), what);
      }
      int take = (int) Math.min(left, limit - position);
      position += take;
      left -= take;
    }
  }

  /// A line of text without its end of line.
  String line(int longest, String what) {
    StringBuilder text = new StringBuilder();
    while (true) {
      int b = u8(what);
      if (b == '\n') {
        break;
      }
      text.append((char) b);
      if (text.length() > longest) {
        throw corrupt(offset(), "a line of " + what + " is longer than " + longest + " bytes");
      }
    }
    return new String(text.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8)
        .stripTrailing();
  }

  SpillwayException truncated(long at, String what) {
    return SpillwayException.badFile(
        name, ":byte " + at, "the file ends inside %s; it is truncated, fetch it again", what);
  }

  SpillwayException corrupt(long at, String why) {
    return SpillwayException.badFile(name, ":byte " + at, "%s", why);
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close " + name + ": " + e.getMessage(), e);
    }
  }
}
