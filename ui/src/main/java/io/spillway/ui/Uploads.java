package io.spillway.ui;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/// A file from the reader's machine, for a reader of ours that wants a path.
final class Uploads {
  private Uploads() {}

  /// What is done with the file.
  interface Use<T> {
    T with(Path file);
  }

  /// Writes base64 text to a temporary file, hands it over and removes it.
  ///
  /// @param name the file's name at home; its ending tells the format
  static <T> T use(String base64, String name, Use<T> use) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw SpillwayException.badInput(
          "the file did not arrive as base64: %s", String.valueOf(e.getMessage()));
    }
    String ending = name.replaceAll("[^A-Za-z0-9.]", "_");
    try {
      Path file = Files.createTempFile("spillway-upload", "-" + ending);
      try {
        Files.write(file, bytes);
        return use.with(file);
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep the file for reading", e);
    }
  }
}
