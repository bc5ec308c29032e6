package io.spillway.simulator.machine;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;

/// The whole state of a machine in a file: program, registers, memory, open files, threads. A
/// restored machine continues exactly as the saved one would have.
///
/// Files are kept by name and position; their content stays where it is.
///
/// **Errors:** `BAD_INPUT` for files that are no checkpoint or are damaged.
public final class Checkpoint {
  private static final long MAGIC = 0x5370696c6c776179L;
  private static final int VERSION = 2;
  private static final int MOST = 1 << 28;

  private Checkpoint() {}

  /// Writes a machine; an existing file is replaced.
  public static void write(Machine machine, Path file) {
    AtomicFiles.writeStream(
        file,
        raw -> {
          try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(raw, 1 << 16))) {
            out.writeLong(MAGIC);
            out.writeInt(VERSION);
            bytes(out, machine.image().content());
            options(out, machine.options());
            machine.save(out);
            memory(out, machine.memory());
          }
        });
  }

  /// Reads a machine back.
  ///
  /// @param here gives the streams and the root folder; everything else comes from the file
  public static Machine read(Path file, ProcessOptions here) {
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound("%s: there is no such checkpoint", file);
    }
    try (DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(new GZIPInputStream(Files.newInputStream(file), 1 << 16)))) {
      if (in.readLong() != MAGIC || in.readInt() != VERSION) {
        throw SpillwayException.badFile(file, "", "this is no checkpoint of version %d", VERSION);
      }
      ElfImage image = ElfImage.parse(file, bytes(in));
      ProcessOptions options = options(in, here);
      Machine machine = Machine.empty(image, options);
      try {
        machine.restore(in);
        memory(in, machine.memory());
      } catch (IOException | RuntimeException e) {
        machine.close();
        throw e;
      }
      return machine;
    } catch (NoSuchFileException e) {
      throw SpillwayException.badInput(
          "the program had %s open; give --root as it was", String.valueOf(e.getMessage()));
    } catch (ZipException | EOFException | IllegalArgumentException | MemoryFault e) {
      throw SpillwayException.badFile(file, "", "this is no checkpoint, or it is damaged: %s", e);
    } catch (IOException e) {
      throw SpillwayException.notFound("%s cannot be read: %s", file, e);
    }
  }

  private static void options(DataOutputStream out, ProcessOptions options) throws IOException {
    texts(out, options.arguments());
    texts(out, options.environment());
    out.writeLong(options.seed());
    out.writeLong(options.stackBytes());
    out.writeInt(options.cpus());
  }

  private static ProcessOptions options(DataInputStream in, ProcessOptions here)
      throws IOException {
    return new ProcessOptions(
        texts(in),
        texts(in),
        here.root(),
        here.in(),
        here.out(),
        here.err(),
        in.readLong(),
        in.readLong(),
        in.readInt());
  }

  // pages: address, permission, whether content follows
  private static void memory(DataOutputStream out, Memory memory) throws IOException {
    byte[] zeros = new byte[Memory.PAGE_BYTES];
    for (long page = memory.nextMapped(0);
        page < Memory.LIMIT;
        page = memory.nextMapped(page + Memory.PAGE_BYTES)) {
      byte[] content = memory.peek(page, Memory.PAGE_BYTES);
      boolean empty = java.util.Arrays.equals(content, zeros);
      out.writeLong(page);
      out.writeByte(memory.permission(page) | (empty ? 0 : 8));
      if (!empty) {
        out.write(content);
      }
    }
    out.writeLong(-1);
  }

  private static void memory(DataInputStream in, Memory memory) throws IOException {
    byte[] content = new byte[Memory.PAGE_BYTES];
    for (long page = in.readLong(); page != -1; page = in.readLong()) {
      int flags = in.readByte();
      memory.map(page, Memory.PAGE_BYTES, flags & 7);
      if ((flags & 8) != 0) {
        in.readFully(content);
        memory.poke(page, content, 0, content.length);
      }
    }
  }

  static void bytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  static byte[] bytes(DataInputStream in) throws IOException {
    byte[] bytes = new byte[count(in)];
    in.readFully(bytes);
    return bytes;
  }

  private static int count(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > MOST) {
      throw new ZipException("a count of " + count);
    }
    return count;
  }

  static void text(DataOutputStream out, String text) throws IOException {
    bytes(out, text.getBytes(StandardCharsets.UTF_8));
  }

  static String text(DataInputStream in) throws IOException {
    return new String(bytes(in), StandardCharsets.UTF_8);
  }

  static void texts(DataOutputStream out, List<String> texts) throws IOException {
    out.writeInt(texts.size());
    for (String t : texts) {
      text(out, t);
    }
  }

  static List<String> texts(DataInputStream in) throws IOException {
    List<String> texts = new ArrayList<>();
    for (int i = count(in); i > 0; i--) {
      texts.add(text(in));
    }
    return texts;
  }

  static void longs(DataOutputStream out, long... values) throws IOException {
    out.writeInt(values.length);
    for (long v : values) {
      out.writeLong(v);
    }
  }

  static long[] longs(DataInputStream in) throws IOException {
    long[] values = new long[count(in)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readLong();
    }
    return values;
  }
}
