package io.spillway.reservoir.events;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// SHA-256 of files and texts, which tells their contents apart whatever their names and times.
public final class Digests {
  private Digests() {}

  /// The digest of a file, as hexadecimal digits.
  public static String of(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest sha = sha();
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        sha.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// The digest of a text in UTF-8, as hexadecimal digits.
  public static String of(String text) {
    return HexFormat.of().formatHex(sha().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static MessageDigest sha() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The digest of a file that is read once, when it is first asked for.
  public static Supplier<String> once(Path file) {
    return new Supplier<>() {
      private @Nullable String digest;

      @Override
      public synchronized String get() {
        String known = digest;
        if (known == null) {
          known = of(file);
          digest = known;
        }
        return known;
      }
    };
  }
}
