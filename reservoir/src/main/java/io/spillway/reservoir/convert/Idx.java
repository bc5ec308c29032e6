package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/// Images and labels in MNIST's IDX format, plain or gzipped.
public final class Idx {
  private static final int IMAGES = 0x803;
  private static final int LABELS = 0x801;
  private static final long LARGEST = 1L << 30;

  private Idx() {}

  /// Grey images.
  ///
  /// @param pixels `[count][rows * columns]`, 0..255
  public record Images(int rows, int columns, byte[][] pixels) {
    public int count() {
      return pixels.length;
    }

    /// Image `i` as numbers 0..1.
    public float[] image(int i) {
      float[] out = new float[rows * columns];
      for (int k = 0; k < out.length; k++) {
        out[k] = (pixels[i][k] & 255) / 255f;
      }
      return out;
    }
  }

  /// Reads images.
  public static Images images(Path file) {
    return read(
        file,
        IMAGES,
        in -> {
          int count = in.readInt();
          int rows = in.readInt();
          int columns = in.readInt();
          if (count < 0
              || rows < 1
              || columns < 1
              || (long) rows * columns > LARGEST
              || (long) count * rows > LARGEST / columns) {
            throw SpillwayException.badFile(
                file, ":byte 4", "%d images of %d x %d are not possible", count, rows, columns);
          }
          // grows as images arrive: the count in the file is only a claim
          List<byte[]> pixels = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            byte[] image = in.readNBytes(rows * columns);
            if (image.length < rows * columns) {
              throw new EOFException("image " + i);
            }
            pixels.add(image);
          }
          return new Images(rows, columns, pixels.toArray(byte[][]::new));
        });
  }

  /// Reads labels.
  public static int[] labels(Path file) {
    return read(
        file,
        LABELS,
        in -> {
          int count = in.readInt();
          if (count < 0 || count > LARGEST) {
            throw SpillwayException.badFile(file, ":byte 4", "%d labels are not possible", count);
          }
          byte[] bytes = in.readNBytes(count);
          if (bytes.length < count) {
            throw new EOFException("label " + bytes.length);
          }
          int[] out = new int[count];
          for (int i = 0; i < count; i++) {
            out[i] = bytes[i] & 255;
          }
          return out;
        });
  }

  @FunctionalInterface
  private interface Body<T> {
    T read(DataInputStream in) throws IOException;
  }

  private static <T> T read(Path file, int magic, Body<T> body) {
    try (InputStream raw = Files.newInputStream(file);
        DataInputStream in =
            new DataInputStream(
                new BufferedInputStream(
                    file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw))) {
      int found = in.readInt();
      if (found != magic) {
        throw SpillwayException.badFile(
            file, ":byte 0", "IDX number 0x%x, 0x%x was expected", found, magic);
      }
      return body.read(in);
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (EOFException e) {
      throw SpillwayException.badFile(
          file,
          "",
          "the file ends inside %s; it is truncated, fetch it again",
          e.getMessage() == null ? "its header" : e.getMessage());
    } catch (ZipException e) {
      throw SpillwayException.badFile(
          file, "", "the compressed file is corrupt: %s", String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
