package io.spillway.platform;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Writes files so that a reader sees either the old content or the whole new content: a temporary
/// file beside the target is written, forced to disk and renamed over it.
public final class AtomicFiles {
  private AtomicFiles() {}

  /// Fills a file that is complete before it gets its name.
  @FunctionalInterface
  public interface FileBody {
    void writeTo(Path temporary) throws IOException;
  }

  /// Fills a stream that is complete before the file gets its name.
  @FunctionalInterface
  public interface StreamBody {
    void writeTo(OutputStream out) throws IOException;
  }

  /// Writes UTF-8 text; missing parent folders are made.
  public static void writeString(Path target, String text) {
    writeBytes(target, text.getBytes(StandardCharsets.UTF_8));
  }

  /// Writes bytes; missing parent folders are made.
  public static void writeBytes(Path target, byte[] bytes) {
    write(target, temporary -> Files.write(temporary, bytes));
  }

  /// Writes what `body` puts into a buffered stream.
  public static void writeStream(Path target, StreamBody body) {
    write(
        target,
        temporary -> {
          try (OutputStream out =
              new java.io.BufferedOutputStream(Files.newOutputStream(temporary), 1 << 16)) {
            body.writeTo(out);
          }
        });
  }

  /// Lets `body` write a temporary file and renames it to `target` once it is on disk.
  ///
  /// **Errors:** when `body` fails the temporary file is removed and `target` stays as it was.
  public static void write(Path target, FileBody body) {
    Path absolute = target.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null) {
      throw SpillwayException.badInput("%s is a root folder, a file name is needed", target);
    }
    try {
      Files.createDirectories(folder);
      Path temporary = Files.createTempFile(folder, "." + absolute.getFileName(), ".part");
      try {
        body.writeTo(temporary);
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
        readableByOthers(temporary);
        Files.move(
            temporary,
            absolute,
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + target + ": " + e.getMessage(), e);
    }
  }

  /// Temporary files are private to their owner; results get the usual permissions instead.
  private static void readableByOthers(Path file) throws IOException {
    if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
      Files.setPosixFilePermissions(
          file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
    }
  }
}
