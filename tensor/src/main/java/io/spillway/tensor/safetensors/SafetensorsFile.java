package io.spillway.tensor.safetensors;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;

/// One safetensors file, mapped into memory: pages are read when they are touched.
///
/// Where the file may be written the mapping is private, so writing into a tensor changes memory
/// and never the file; otherwise the mapping is read-only.
///
/// **Errors:** missing, cut off, malformed or contradicting files as [SpillwayException].
public final class SafetensorsFile implements AutoCloseable {
  private final Path file;
  private final Header header;
  private final Arena arena;
  private final MemorySegment data;

  private SafetensorsFile(Path file, Header header, Arena arena, MemorySegment data) {
    this.file = file;
    this.header = header;
    this.arena = arena;
    this.data = data;
  }

  /// Reads and checks the header alone; nothing is mapped.
  public static Header readHeader(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return readHeader(file, channel);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /// Checks the header and maps the data.
  @SuppressWarnings("MustBeClosedChecker") // the arena belongs to the object that is handed out
  public static SafetensorsFile open(Path file) {
    boolean writable = Files.isWritable(file);
    StandardOpenOption[] options =
        writable
            ? new StandardOpenOption[] {StandardOpenOption.READ, StandardOpenOption.WRITE}
            : new StandardOpenOption[] {StandardOpenOption.READ};
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, options)) {
      Header header = readHeader(file, channel);
      MemorySegment data =
          channel.map(
              writable ? FileChannel.MapMode.PRIVATE : FileChannel.MapMode.READ_ONLY,
              header.dataOffset(),
              channel.size() - header.dataOffset(),
              arena);
      return new SafetensorsFile(file, header, arena, data);
    } catch (IOException e) {
      arena.close();
      throw unreadable(file, e);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private static Header readHeader(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < Header.PREFIX_BYTES) {
      throw SpillwayException.badFile(
          file, "", "%d bytes are too few for a safetensors file (at least 8)", size);
    }
    ByteBuffer prefix = ByteBuffer.allocate(Header.PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, prefix, 0);
    long length = Header.checkedLength(prefix.getLong(0), size, file);
    ByteBuffer json = ByteBuffer.allocate((int) length);
    readFully(channel, json, Header.PREFIX_BYTES);
    return Header.parse(json.array(), size, file);
  }

  private static void readFully(FileChannel channel, ByteBuffer into, long at) throws IOException {
    while (into.hasRemaining()) {
      int n = channel.read(into, at + into.position());
      if (n < 0) {
        throw new EOFException("it was cut off while being read");
      }
    }
  }

  private static RuntimeException unreadable(Path file, IOException e) {
    if (e instanceof NoSuchFileException) {
      return SpillwayException.notFound("%s: no such file", file);
    }
    if (Files.isDirectory(file)) {
      return SpillwayException.badInput("%s is a folder, a safetensors file is needed", file);
    }
    return new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
  }

  public Path file() {
    return file;
  }

  public Set<String> names() {
    return header.tensors().keySet();
  }

  public Map<String, String> metadata() {
    return header.metadata();
  }

  /// Where and what one tensor is.
  ///
  /// **Errors:** an unknown name, with the nearest known one.
  public TensorEntry entry(String name) {
    TensorEntry e = header.tensors().get(name);
    if (e == null) {
      throw SpillwayException.badFile(
          file,
          "",
          "no tensor '%s'%s",
          name,
          Nearest.to(name, names()).map(n -> ", did you mean '" + n + "'?").orElse(""));
    }
    return e;
  }

  /// The mapped bytes of one tensor, little-endian; valid until [#close].
  public MemorySegment segment(String name) {
    TensorEntry e = entry(name);
    return data.asSlice(e.begin(), e.bytes());
  }

  /// Unmaps the file; every segment of it becomes invalid.
  @Override
  public void close() {
    arena.close();
  }
}
