package io.spillway.simulator.machine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Files that the program maps shared: what it stores there goes to the file, what is written to
/// the file shows there.
///
/// Memory and file are brought together where a program can tell the difference: at `msync`,
/// `munmap`, reads and writes of the file, and at the end. **Units:** bytes.
final class SharedMappings {
  private static final int CHUNK = 1 << 16;

  /// A stretch of memory that stands for a stretch of a file.
  ///
  /// @param channel may be written if the file was opened so
  /// @param writable whether it was mapped to be written
  private record Piece(
      long address, long bytes, LinuxFiles.Open.OpenFile file, long offset, boolean writable) {
    private long end() {
      return address + bytes;
    }

    private FileChannel channel() {
      return file.channel();
    }

    private boolean mayWrite() {
      return (file.flags() & 3) == LinuxFiles.READ_WRITE;
    }
  }

  private final Memory memory;
  private final List<Piece> pieces = new ArrayList<>();

  SharedMappings(Memory memory) {
    this.memory = memory;
  }

  boolean isEmpty() {
    return pieces.isEmpty();
  }

  /// Whether a file's channel is still needed.
  boolean uses(LinuxFiles.Open.OpenFile file) {
    return pieces.stream().anyMatch(p -> p.channel() == file.channel());
  }

  boolean touches(long address, long bytes) {
    return pieces.stream().anyMatch(p -> p.address() < address + bytes && address < p.end());
  }

  /// Whether the stretch of a file is mapped already and one of the two mappings would not see what
  /// is stored through the other.
  boolean clashes(LinuxFiles.Open.OpenFile file, long offset, long bytes, boolean writable) {
    return pieces.stream()
        .anyMatch(p ->
            p.file().guest().equals(file.guest())
                && p.offset() < offset + bytes
                && offset < p.offset() + p.bytes()
                && (writable || p.writable()));
  }

  void add(long address, long bytes, LinuxFiles.Open.OpenFile file, long offset, boolean writable) {
    pieces.add(new Piece(address, bytes, file, offset, writable));
  }

  /// Writes back what is mapped in a range and forgets it.
  ///
  /// @return the files of which nothing is mapped any more
  List<LinuxFiles.Open.OpenFile> drop(long address, long bytes) throws IOException {
    writeBack(address, bytes);
    List<LinuxFiles.Open.OpenFile> cut = new ArrayList<>();
    for (Piece p : List.copyOf(pieces)) {
      if (p.address() >= address + bytes || address >= p.end()) {
        continue;
      }
      pieces.remove(p);
      cut.add(p.file());
      if (p.address() < address) {
        add(p.address(), address - p.address(), p.file(), p.offset(), p.writable());
      }
      long end = address + bytes;
      if (end < p.end()) {
        add(end, p.end() - end, p.file(), p.offset() + end - p.address(), p.writable());
      }
    }
    return cut.stream().filter(file -> !uses(file)).distinct().toList();
  }

  /// Writes back what is mapped in a range.
  void writeBack(long address, long bytes) throws IOException {
    for (Piece p : pieces) {
      long from = Math.max(p.address(), address);
      long end = Math.min(p.end(), address + bytes);
      if (from < end && p.mayWrite()) {
        long offset = p.offset() + from - p.address();
        // what lies beyond the file's end is in no file
        long inFile = Math.min(end - from, p.channel().size() - offset);
        for (long done = 0; done < inFile; done += CHUNK) {
          int count = (int) Math.min(CHUNK, inFile - done);
          byte[] now = memory.peek(from + done, count);
          if (!Arrays.equals(now, read(p.channel(), offset + done, count))) {
            write(p.channel(), offset + done, now);
          }
        }
      }
    }
  }

  /// Writes back all that is mapped of a file.
  void writeBack(String guest) throws IOException {
    for (Piece p : List.copyOf(pieces)) {
      if (p.file().guest().equals(guest)) {
        writeBack(p.address(), p.bytes());
      }
    }
  }

  /// Shows what the file now holds.
  void reload(String guest) throws IOException {
    for (Piece p : pieces) {
      if (p.file().guest().equals(guest)) {
        for (long done = 0; done < p.bytes(); done += CHUNK) {
          int count = (int) Math.min(CHUNK, p.bytes() - done);
          byte[] content = read(p.channel(), p.offset() + done, count);
          memory.poke(p.address() + done, Arrays.copyOf(content, count), 0, count);
        }
      }
    }
  }

  private static byte[] read(FileChannel channel, long offset, int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    int n = 0;
    while (buffer.hasRemaining() && n >= 0) {
      n = channel.read(buffer, offset + buffer.position());
    }
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  private static void write(FileChannel channel, long offset, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer, offset + buffer.position());
    }
  }
}
