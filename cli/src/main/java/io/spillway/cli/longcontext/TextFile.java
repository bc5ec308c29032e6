package io.spillway.cli.longcontext;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A file of text that the user names.
final class TextFile {
  private TextFile() {}

  /// Its text.
  ///
  /// **Errors:** a file that is missing, that cannot be read or that is no UTF-8.
  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (CharacterCodingException e) {
      throw SpillwayException.badInput("%s is not UTF-8 text; convert it, as with iconv", file);
    } catch (IOException e) {
      throw SpillwayException.notFound("cannot read %s: %s", file, String.valueOf(e.getMessage()));
    }
  }
}
