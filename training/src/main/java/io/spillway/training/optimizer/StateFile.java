package io.spillway.training.optimizer;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Optimizer state on a fast disk, one region a subgroup. It is scratch space of one process, gone
/// when it ends; what must last is in checkpoints.
final class StateFile implements AutoCloseable {
  private static final int PIECE = 8 << 20;

  private final Path path;
  private final FileChannel channel;

  StateFile(Path path, long bytes) {
    this.path = path;
    try {
      Path folder = path.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < bytes) {
          throw SpillwayException.doesNotFit(
              "optimizer state of %d bytes does not fit on %s, which has %d free",
              bytes, folder, free);
        }
      }
      channel =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      throw failed(path, e);
    }
  }

  void read(long offset, MemorySegment into) {
    move(offset, into, true);
  }

  void write(long offset, MemorySegment from) {
    move(offset, from, false);
  }

  private void move(long offset, MemorySegment memory, boolean reading) {
    try {
      for (long at = 0; at < memory.byteSize(); at += PIECE) {
        ByteBuffer piece =
            memory.asSlice(at, Math.min(PIECE, memory.byteSize() - at)).asByteBuffer();
        long position = offset + at;
        while (piece.hasRemaining()) {
          int n = reading ? channel.read(piece, position) : channel.write(piece, position);
          if (n < 0) {
            throw new IOException("the file ends at byte " + position);
          }
          position += n;
        }
      }
    } catch (IOException e) {
      throw failed(path, e);
    }
  }

  private static UncheckedIOException failed(Path path, IOException e) {
    return new UncheckedIOException("state file " + path + ": " + e.getMessage(), e);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw failed(path, e);
    }
  }
}
