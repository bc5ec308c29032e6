package io.spillway.simulator.machine;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A static RISC-V program file: what to map where, where to begin, and its symbols.
///
/// Position-independent static programs are placed at [#PIE_BASE].
///
/// **Errors:** `BAD_INPUT` with the file, the field and its bound for everything that is not such a
/// program.
///
/// @param entry the first instruction
/// @param segments what to map
/// @param headers address of the program headers in memory, 0 if they are not mapped
/// @param headerCount number of program headers
/// @param end the first address behind the program, where its heap begins
/// @param symbols names of its functions
/// @param content the file
public record ElfImage(
    long entry,
    List<Segment> segments,
    long headers,
    int headerCount,
    long end,
    SymbolTable symbols,
    byte[] content) {
  /// Where position-independent programs are placed.
  public static final long PIE_BASE = 0x400000;

  /// The highest address that a program may occupy; above are mappings and the stack.
  public static final long HIGHEST = Memory.LIMIT / 2;

  private static final int HEADER_BYTES = 64;
  private static final int PROGRAM_HEADER_BYTES = 56;
  private static final int RISCV = 243;
  private static final int EXECUTABLE = 2;
  private static final int SHARED = 3;
  private static final int LOAD = 1;
  private static final int DYNAMIC_LOADER = 3;

  /// A part of the file that is mapped.
  ///
  /// @param address first address
  /// @param memoryBytes size in memory; what the file does not fill is zero
  /// @param offset where its content begins in the file
  /// @param fileBytes how much of it the file holds
  /// @param permission [Memory#READ] and so on
  public record Segment(
      long address, long memoryBytes, long offset, long fileBytes, int permission) {}

  /// Reads a program file.
  public static ElfImage read(Path file) {
    if (!Files.exists(file)) {
      throw SpillwayException.notFound("%s: there is no such program", file);
    }
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.badInput("%s is not a file, a RISC-V program is needed", file);
    }
    try {
      if (Files.size(file) > 1 << 30) {
        throw SpillwayException.badInput("%s is larger than 1 GiB", file);
      }
      return parse(file, Files.readAllBytes(file));
    } catch (IOException e) {
      throw SpillwayException.notFound("%s cannot be read: %s", file, e);
    }
  }

  /// Reads a program from memory; `file` only names it in errors.
  public static ElfImage parse(Path file, byte[] bytes) {
    if (bytes.length < 4
        || bytes[0] != 0x7f
        || bytes[1] != 'E'
        || bytes[2] != 'L'
        || bytes[3] != 'F') {
      throw SpillwayException.badFile(file, "", "this is not an ELF file");
    }
    if (bytes.length < HEADER_BYTES) {
      throw SpillwayException.badFile(
          file, "", "truncated: %d bytes, an ELF header has %d", bytes.length, HEADER_BYTES);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes[4] != 2 || bytes[5] != 1) {
      throw SpillwayException.badFile(file, ":4", "a 64-bit little-endian program is needed");
    }
    int machine = in.getShort(18) & 0xffff;
    if (machine != RISCV) {
      throw SpillwayException.badFile(
          file,
          ":18",
          "machine %d is not RISC-V (%d); compile with riscv64-linux-gnu-gcc -static",
          machine,
          RISCV);
    }
    int type = in.getShort(16);
    if (type != EXECUTABLE && type != SHARED) {
      throw SpillwayException.badFile(
          file, ":16", "type %d is no program (%d); link it first", type, EXECUTABLE);
    }
    return segments(file, in, bytes, type == SHARED ? PIE_BASE : 0);
  }

  private static ElfImage segments(Path file, ByteBuffer in, byte[] bytes, long bias) {
    long table = in.getLong(32);
    int count = in.getShort(56) & 0xffff;
    int size = in.getShort(54) & 0xffff;
    if (count == 0 || size != PROGRAM_HEADER_BYTES) {
      throw SpillwayException.badFile(
          file,
          ":54",
          "%d program headers of %d bytes; at least one of %d is needed",
          count,
          size,
          PROGRAM_HEADER_BYTES);
    }
    if (table < 0 || table > bytes.length - (long) count * size) {
      throw SpillwayException.badFile(
          file,
          ":32",
          "truncated: program headers at %d + %d are beyond the file's %d bytes",
          table,
          count * size,
          bytes.length);
    }
    List<Segment> segments = new ArrayList<>();
    long headers = 0;
    long end = 0;
    for (int i = 0; i < count; i++) {
      int at = (int) table + i * size;
      int kind = in.getInt(at);
      if (kind == DYNAMIC_LOADER) {
        throw SpillwayException.badFile(
            file, ":" + at, "this program is dynamic; link it with -static");
      }
      if (kind != LOAD || in.getLong(at + 40) == 0) {
        continue;
      }
      Segment segment = segment(file, in, at, bias, bytes.length);
      for (Segment other : segments) {
        if (segment.address < other.address + other.memoryBytes
            && other.address < segment.address + segment.memoryBytes) {
          throw SpillwayException.badFile(
              file, ":" + at, "two segments overlap at address 0x%x", segment.address);
        }
      }
      segments.add(segment);
      end = Math.max(end, segment.address + segment.memoryBytes);
      if (table >= segment.offset
          && table + (long) count * size <= segment.offset + segment.fileBytes) {
        headers = segment.address + table - segment.offset;
      }
    }
    long entry = in.getLong(24) + bias;
    boolean inside =
        segments.stream()
            .anyMatch(s ->
                (s.permission & Memory.EXECUTE) != 0
                    && entry >= s.address
                    && entry < s.address + s.memoryBytes);
    if (!inside) {
      throw SpillwayException.badFile(
          file, ":24", "entry 0x%x lies in no executable segment", entry);
    }
    return new ElfImage(
        entry, List.copyOf(segments), headers, count, end, SymbolTable.read(in, bias), bytes);
  }

  private static Segment segment(Path file, ByteBuffer in, int at, long bias, int length) {
    int flags = in.getInt(at + 4);
    long offset = in.getLong(at + 8);
    long address = in.getLong(at + 16) + bias;
    long fileBytes = in.getLong(at + 32);
    long memoryBytes = in.getLong(at + 40);
    if (offset < 0 || fileBytes < 0 || offset > length || fileBytes > length - offset) {
      throw SpillwayException.badFile(
          file,
          ":" + at,
          "truncated: a segment's %d bytes at %d are beyond the file's %d",
          fileBytes,
          offset,
          length);
    }
    if (memoryBytes < fileBytes) {
      throw SpillwayException.badFile(
          file,
          ":" + at,
          "a segment of %d bytes in memory cannot hold %d of the file",
          memoryBytes,
          fileBytes);
    }
    if (address < Memory.PAGE_BYTES || address > HIGHEST || memoryBytes > HIGHEST - address) {
      throw SpillwayException.badFile(
          file,
          ":" + at,
          "address 0x%x + 0x%x is impossible; segments lie from 0x1000 to 0x%x",
          address,
          memoryBytes,
          HIGHEST);
    }
    int permission =
        ((flags & 4) != 0 ? Memory.READ : 0)
            | ((flags & 2) != 0 ? Memory.WRITE : 0)
            | ((flags & 1) != 0 ? Memory.EXECUTE : 0);
    return new Segment(address, memoryBytes, offset, fileBytes, permission);
  }

  /// Maps the segments.
  void loadInto(Memory memory) {
    for (Segment s : segments) {
      long first = s.address & -Memory.PAGE_BYTES;
      long last = s.address + s.memoryBytes + Memory.PAGE_BYTES - 1 & -Memory.PAGE_BYTES;
      // segments may share a page; it gets what either of them permits
      for (long page = first; page < last; page += Memory.PAGE_BYTES) {
        memory.protect(page, Memory.PAGE_BYTES, s.permission | memory.permission(page));
      }
      memory.poke(s.address, content, (int) s.offset, (int) s.fileBytes);
    }
  }
}
