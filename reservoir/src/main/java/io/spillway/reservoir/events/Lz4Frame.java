package io.spillway.reservoir.events;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/// LZ4 frames, compressed and decompressed in plain Java; frame and block checksums are verified.
///
/// **Errors:** [Malformed] with the byte offset inside the frame. **Source:** the published LZ4
/// frame (1.6) and block formats.
final class Lz4Frame {
  private static final int MAGIC = 0x184D2204;
  private static final int SHORTEST_MATCH = 4;
  private static final int BLOCK = 1 << 18;
  private static final int HASH_BITS = 14;

  private Lz4Frame() {}

  /// What is wrong with a frame, and where.
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;
    private final int offset;

    Malformed(int offset, String message) {
      super(message);
      this.offset = offset;
    }

    int offset() {
      return offset;
    }
  }

  /// Decompresses one frame to at most `largest` bytes.
  static byte[] decompress(byte[] in, int largest) throws Malformed {
    need(in, 0, 7);
    if (XxHash32.word(in, 0) != MAGIC) {
      throw new Malformed(0, "no LZ4 frame begins here");
    }
    int flags = in[4] & 255;
    if (flags >> 6 != 1) {
      throw new Malformed(4, "LZ4 frame version " + (flags >> 6) + ", 1 was expected");
    }
    boolean blockSums = (flags & 16) != 0;
    boolean contentSum = (flags & 4) != 0;
    int i = 6 + ((flags & 8) != 0 ? 8 : 0) + ((flags & 1) != 0 ? 4 : 0);
    need(in, i, 1);
    if ((XxHash32.of(in, 4, i) >>> 8 & 255) != (in[i] & 255)) {
      throw new Malformed(i, "the LZ4 frame header does not match its checksum");
    }
    i++;
    Output out = new Output(largest);
    while (true) {
      need(in, i, 4);
      int word = XxHash32.word(in, i);
      i += 4;
      if (word == 0) {
        break;
      }
      int size = word & 0x7FFFFFFF;
      need(in, i, size);
      if (word < 0) {
        out.literals(in, i, size);
      } else {
        block(in, i, i + size, out);
      }
      i += size;
      if (blockSums) {
        need(in, i, 4);
        if (XxHash32.of(in, i - size, i) != XxHash32.word(in, i)) {
          throw new Malformed(i, "an LZ4 block does not match its checksum");
        }
        i += 4;
      }
    }
    byte[] result = out.finish();
    if (contentSum) {
      need(in, i, 4);
      if (XxHash32.of(result, 0, result.length) != XxHash32.word(in, i)) {
        throw new Malformed(i, "the content of the LZ4 frame does not match its checksum");
      }
    }
    return result;
  }

  private static void need(byte[] in, int at, int count) throws Malformed {
    if (count < 0 || in.length - at < count) {
      throw new Malformed(in.length, "the LZ4 frame ends early");
    }
  }

  private static void block(byte[] in, int from, int to, Output out) throws Malformed {
    int i = from;
    while (i < to) {
      int token = in[i++] & 255;
      int literals = token >> 4;
      if (literals == 15) {
        int b;
        do {
          if (i >= to) {
            throw new Malformed(i, "an LZ4 length runs past its block");
          }
          b = in[i++] & 255;
          literals += b;
        } while (b == 255);
      }
      if (literals > to - i) {
        throw new Malformed(i, "LZ4 literals run past their block");
      }
      out.literals(in, i, literals);
      i += literals;
      if (i == to) {
        return; // the last sequence has no match
      }
      if (to - i < 2) {
        throw new Malformed(i, "an LZ4 match runs past its block");
      }
      int distance = in[i] & 255 | (in[i + 1] & 255) << 8;
      i += 2;
      int length = (token & 15) + SHORTEST_MATCH;
      if ((token & 15) == 15) {
        int b;
        do {
          if (i >= to) {
            throw new Malformed(i, "an LZ4 length runs past its block");
          }
          b = in[i++] & 255;
          length += b;
        } while (b == 255);
      }
      out.match(distance, length, i);
    }
  }

  /// Growing output that also serves as the history of matches.
  private static final class Output {
    private final int largest;
    private byte[] bytes = new byte[1 << 12];
    private int size;

    Output(int largest) {
      this.largest = largest;
    }

    private void grow(int more, int at) throws Malformed {
      if (more < 0 || more > largest - size) {
        throw new Malformed(at, "more than " + largest + " bytes come out of one LZ4 frame");
      }
      if (size + more > bytes.length) {
        bytes =
            Arrays.copyOf(bytes, (int) Math.min(largest, Math.max(size + more, 2L * bytes.length)));
      }
    }

    void literals(byte[] in, int at, int count) throws Malformed {
      grow(count, at);
      System.arraycopy(in, at, bytes, size, count);
      size += count;
    }

    void match(int distance, int length, int at) throws Malformed {
      if (distance == 0 || distance > size) {
        throw new Malformed(at, "an LZ4 match points before the start of the frame");
      }
      grow(length, at);
      for (int k = 0; k < length; k++, size++) {
        bytes[size] = bytes[size - distance];
      }
    }

    byte[] finish() {
      return Arrays.copyOf(bytes, size);
    }
  }

  /// Compresses `data` into one frame of independent blocks with checksums of header and content.
  static byte[] compress(byte[] data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(data.length / 2 + 32);
    byte[] descriptor = {0x64, 0x50}; // version 1, independent blocks, content checksum; 256 KiB
    word(out, MAGIC);
    out.writeBytes(descriptor);
    out.write(XxHash32.of(descriptor, 0, 2) >>> 8);
    for (int from = 0; from < data.length; from += BLOCK) {
      int to = Math.min(data.length, from + BLOCK);
      byte[] packed = compressBlock(data, from, to);
      if (packed.length < to - from) {
        word(out, packed.length);
        out.writeBytes(packed);
      } else {
        word(out, to - from | 0x80000000);
        out.write(data, from, to - from);
      }
    }
    word(out, 0);
    word(out, XxHash32.of(data, 0, data.length));
    return out.toByteArray();
  }

  private static byte[] compressBlock(byte[] data, int from, int to) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int[] table = new int[1 << HASH_BITS];
    Arrays.fill(table, -1);
    int anchor = from;
    int i = from;
    // the format wants the last five bytes as literals and no match in the last twelve
    while (i < to - 12) {
      int word = XxHash32.word(data, i);
      int slot = word * 0x9E3779B1 >>> 32 - HASH_BITS;
      int seen = table[slot];
      table[slot] = i;
      if (seen < 0 || i - seen > 65535 || XxHash32.word(data, seen) != word) {
        i++;
        continue;
      }
      int length = SHORTEST_MATCH;
      while (i + length < to - 5 && data[seen + length] == data[i + length]) {
        length++;
      }
      sequence(out, data, anchor, i - anchor, i - seen, length);
      i += length;
      anchor = i;
    }
    sequence(out, data, anchor, to - anchor, 0, 0);
    return out.toByteArray();
  }

  private static void sequence(
      ByteArrayOutputStream out, byte[] data, int from, int literals, int distance, int length) {
    int match = Math.max(0, length - SHORTEST_MATCH);
    out.write(Math.min(15, literals) << 4 | Math.min(15, match));
    rest(out, literals);
    out.write(data, from, literals);
    if (length > 0) {
      out.write(distance);
      out.write(distance >> 8);
      rest(out, match);
    }
  }

  private static void rest(ByteArrayOutputStream out, int count) {
    if (count < 15) {
      return;
    }
    int left = count - 15;
    for (; left >= 255; left -= 255) {
      out.write(255);
    }
    out.write(left);
  }

  private static void word(ByteArrayOutputStream out, int value) {
    out.write(value);
    out.write(value >> 8);
    out.write(value >> 16);
    out.write(value >> 24);
  }
}
