package io.spillway.training.data;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A mapped file of little-endian token ids, 2 bytes each (`.u16`, `.bin`) or 4 (`.u32`), without a
/// header.
public final class TokenFile implements AutoCloseable {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final Arena arena;
  private final MemorySegment memory;
  private final int width;

  private TokenFile(Path file, Arena arena, MemorySegment memory, int width) {
    this.file = file;
    this.arena = arena;
    this.memory = memory;
    this.width = width;
  }

  /// Whether the name says that a file holds token ids.
  public static boolean isTokens(Path file) {
    String name = file.toString();
    return name.endsWith(".u16") || name.endsWith(".bin") || name.endsWith(".u32");
  }

  /// Maps a file.
  ///
  /// **Errors:** an absent file, a length that is no whole number of ids.
  @SuppressWarnings("MustBeClosedChecker") // the arena closes with this object
  public static TokenFile open(Path file) {
    int width = file.toString().endsWith(".u32") ? 4 : 2;
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound("%s: no such token file", file);
    }
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long bytes = channel.size();
      if (bytes % width != 0) {
        throw SpillwayException.badFile(
            file, "", "%d bytes are no whole number of %d-byte token ids", bytes, width);
      }
      return new TokenFile(
          file, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena), width);
    } catch (IOException e) {
      arena.close();
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /// Number of ids.
  public long size() {
    return memory.byteSize() / width;
  }

  /// The id at `index`.
  public int get(long index) {
    return width == 2 ? memory.get(U16, 2 * index) & 0xFFFF : memory.get(U32, 4 * index);
  }

  /// Checks every id.
  ///
  /// **Errors:** the first id outside `[0, vocabulary)` with its place.
  public void check(int vocabulary) {
    for (long i = 0; i < size(); i++) {
      int id = get(i);
      if (id < 0 || id >= vocabulary) {
        throw SpillwayException.badFile(
            file,
            ":" + i * width,
            "token id %d at position %d, the model's vocabulary has %d ids (0 to %d)",
            Integer.toUnsignedLong(id),
            i,
            vocabulary,
            vocabulary - 1);
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
