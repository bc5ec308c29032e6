package io.spillway.diffusion.shapes;

import io.spillway.platform.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/// PNG files with text chunks, which hold the parameters that an image was made with.
public final class Png {
  private static final int SIGNATURE_AND_HEADER = 8 + 25;

  private Png() {}

  /// One image of a batch.
  ///
  /// **Shapes:** pixels [3, rows, columns] in -1..1 from `offset` on.
  public static BufferedImage image(float[] pixels, int offset, int rows, int columns) {
    BufferedImage image = new BufferedImage(columns, rows, BufferedImage.TYPE_INT_RGB);
    int plane = rows * columns;
    for (int i = 0; i < plane; i++) {
      int rgb = 0;
      for (int k = 0; k < 3; k++) {
        float value = pixels[offset + k * plane + i];
        rgb = rgb << 8 | Math.clamp(Math.round((value + 1) * 127.5f), 0, 255);
      }
      image.setRGB(i % columns, i / columns, rgb);
    }
    return image;
  }

  /// The file's bytes; each entry of `text` becomes a tEXt chunk.
  public static byte[] encode(BufferedImage image, Map<String, String> text) {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", plain);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot encode a PNG: " + e.getMessage(), e);
    }
    byte[] bytes = plain.toByteArray();
    out.write(bytes, 0, SIGNATURE_AND_HEADER);
    text.forEach((key, value) -> {
      byte[] chunk = ("tEXt" + key + "\0" + value).getBytes(StandardCharsets.ISO_8859_1);
      CRC32 crc = new CRC32();
      crc.update(chunk);
      writeInt(out, chunk.length - 4);
      out.writeBytes(chunk);
      writeInt(out, (int) crc.getValue());
    });
    out.write(bytes, SIGNATURE_AND_HEADER, bytes.length - SIGNATURE_AND_HEADER);
    return out.toByteArray();
  }

  /// Writes a file.
  public static void write(Path file, BufferedImage image, Map<String, String> text) {
    AtomicFiles.writeBytes(file, encode(image, text));
  }

  private static void writeInt(ByteArrayOutputStream out, int value) {
    out.write(value >>> 24);
    out.write(value >>> 16);
    out.write(value >>> 8);
    out.write(value);
  }
}
