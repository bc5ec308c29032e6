package io.spillway.diffusion.shapes;

import io.spillway.platform.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// PNG files with text chunks, which hold the parameters that an image was made with. Written by
/// hand, since java.desktop is absent from small runtimes and would be the only thing that needs
/// it.
///
/// **Source:** "Portable Network Graphics (PNG) Specification", third edition, sections 5 and 11.
public final class Png {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final int PAETH = 4;

  private Png() {}

  /// One image of a batch.
  ///
  /// **Shapes:** pixels [3, rows, columns] in -1..1 from `offset` on.
  public static Raster image(float[] pixels, int offset, int rows, int columns) {
    int plane = rows * columns;
    int[] rgb = new int[plane];
    for (int i = 0; i < plane; i++) {
      for (int k = 0; k < 3; k++) {
        float value = pixels[offset + k * plane + i];
        rgb[i] = rgb[i] << 8 | Math.clamp(Math.round((value + 1) * 127.5f), 0, 255);
      }
    }
    return new Raster(rows, columns, rgb);
  }

  /// The file's bytes; each entry of `text` becomes a chunk: tEXt where Latin-1 can hold it, else
  /// iTXt.
  public static byte[] encode(Raster image, Map<String, String> text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    ByteBuffer header = ByteBuffer.allocate(13);
    header.putInt(image.columns()).putInt(image.rows());
    header.put(new byte[] {8, 2, 0, 0, 0}); // 8 bits, RGB, no interlacing
    chunk(out, "IHDR", header.array());
    text.forEach((key, value) -> {
      if (StandardCharsets.ISO_8859_1.newEncoder().canEncode(value)) {
        chunk(out, "tEXt", (key + "\0" + value).getBytes(StandardCharsets.ISO_8859_1));
      } else {
        chunk(out, "iTXt", (key + "\0\0\0\0\0" + value).getBytes(StandardCharsets.UTF_8));
      }
    });
    chunk(out, "IDAT", deflate(filtered(image)));
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  /// Writes a file.
  public static void write(Path file, Raster image, Map<String, String> text) {
    AtomicFiles.writeBytes(file, encode(image, text));
  }

  /// Each row as differences to the Paeth predictor, which suits smooth pictures.
  private static byte[] filtered(Raster image) {
    int columns = image.columns();
    byte[] out = new byte[image.rows() * (1 + 3 * columns)];
    int at = 0;
    for (int r = 0; r < image.rows(); r++) {
      out[at++] = PAETH;
      for (int c = 0; c < columns; c++) {
        int here = image.at(r, c);
        int left = c == 0 ? 0 : image.at(r, c - 1);
        int above = r == 0 ? 0 : image.at(r - 1, c);
        int corner = r == 0 || c == 0 ? 0 : image.at(r - 1, c - 1);
        for (int shift = 16; shift >= 0; shift -= 8) {
          int a = left >> shift & 255;
          int b = above >> shift & 255;
          int d = corner >> shift & 255;
          out[at++] = (byte) ((here >> shift & 255) - paeth(a, b, d));
        }
      }
    }
    return out;
  }

  private static int paeth(int left, int above, int corner) {
    int estimate = left + above - corner;
    int a = Math.abs(estimate - left);
    int b = Math.abs(estimate - above);
    int c = Math.abs(estimate - corner);
    return a <= b && a <= c ? left : b <= c ? above : corner;
  }

  private static byte[] deflate(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Deflater deflater = new Deflater()) {
      deflater.setInput(bytes);
      deflater.finish();
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
    }
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(name);
    out.writeBytes(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }
}
