package io.spillway.reservoir.protocol;

import io.spillway.platform.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// The folder of one unfinished encoding: `settings.json`, `lock` and one file a block, its bytes
/// followed by their CRC-32. Files appear whole ([AtomicFiles]); the lock is the operating system's
/// and goes with the process, however that ends.
final class BlockFolder implements AutoCloseable {
  static final String SETTINGS = "settings.json";
  private static final String LOCK = "lock";

  /// Folders that runs of this process hold. Linux lets go of all a process's locks on a file when
  /// any of its channels to it is closed, so that the file of such a folder is not opened again.
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel lock;
  private final Consumer<String> tell;
  private final AtomicBoolean ended = new AtomicBoolean();

  private BlockFolder(Path folder, FileChannel lock, Consumer<String> tell) {
    this.folder = folder;
    this.lock = lock;
    this.tell = tell;
  }

  /// Opens or makes the folder; empty, with a line that says why, where it cannot be used.
  static Optional<BlockFolder> open(Path folder, String settings, Consumer<String> tell) {
    try {
      Files.createDirectories(folder);
      Optional<FileChannel> lock = lock(folder);
      if (lock.isEmpty()) {
        tell.accept(folder + " is in use by another run: this one keeps nothing for a restart");
        return Optional.empty();
      }
      BlockFolder open = new BlockFolder(folder, lock.get(), tell);
      try {
        AtomicFiles.writeString(folder.resolve(SETTINGS), settings);
      } catch (UncheckedIOException e) {
        open.close();
        throw e;
      }
      return Optional.of(open);
    } catch (IOException | UncheckedIOException e) {
      tell.accept("nothing is kept for a restart: " + e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<FileChannel> lock(Path folder) throws IOException {
    if (!HELD.add(folder)) {
      return Optional.empty();
    }
    Optional<FileChannel> locked = Optional.empty();
    try {
      FileChannel channel =
          FileChannel.open(
              folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        locked = Optional.ofNullable(channel.tryLock()).map(_ -> channel);
      } finally {
        if (locked.isEmpty()) {
          channel.close();
        }
      }
      return locked;
    } finally {
      if (locked.isEmpty()) {
        HELD.remove(folder);
      }
    }
  }

  private static void unlock(Path folder, FileChannel lock) throws IOException {
    try {
      lock.close();
    } finally {
      HELD.remove(folder);
    }
  }

  /// Whether a run holds the folder now.
  static boolean inUse(Path folder) {
    if (!Files.exists(folder.resolve(LOCK))) {
      return false;
    }
    try {
      Optional<FileChannel> lock = lock(folder);
      if (lock.isEmpty()) {
        return true;
      }
      unlock(folder, lock.get());
      return false;
    } catch (IOException e) {
      return false;
    }
  }

  /// The bytes of a block; empty where it is missing, of another length or damaged.
  Optional<ByteBuffer> read(int block, long bytes) {
    Path file = file(block);
    try {
      if (!Files.isRegularFile(file)) {
        return Optional.empty();
      }
      if (Files.size(file) == bytes + Long.BYTES) {
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file));
        ByteBuffer content = all.slice(0, (int) bytes);
        if (crc(content.duplicate()) == all.getLong((int) bytes)) {
          return Optional.of(content);
        }
      }
      tell.accept(file + " is damaged and is encoded again");
    } catch (IOException e) {
      tell.accept(file + " cannot be read and is encoded again: " + e.getMessage());
    }
    return Optional.empty();
  }

  /// Keeps a block. A full disk does not end the run: it goes on and keeps nothing more.
  void write(int block, ByteBuffer content) {
    if (ended.get()) {
      return;
    }
    ByteBuffer all = ByteBuffer.allocate(content.remaining() + Long.BYTES);
    all.put(content.duplicate()).putLong(crc(content.duplicate()));
    try {
      AtomicFiles.writeBytes(file(block), all.array());
    } catch (UncheckedIOException e) {
      if (ended.compareAndSet(false, true)) {
        tell.accept("no more is kept for a restart: " + e.getMessage());
      }
    }
  }

  private Path file(int block) {
    return folder.resolve(String.format("%07d", block));
  }

  private static long crc(ByteBuffer content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    return crc.getValue();
  }

  void remove() {
    ended.set(true); // nothing is written any more
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      tell.accept(folder + " is no longer needed and cannot be removed: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    try {
      unlock(folder, lock);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close " + folder.resolve(LOCK), e);
    }
  }
}
