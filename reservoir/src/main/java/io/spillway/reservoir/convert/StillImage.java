package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/// Reads a picture as the 28 x 28 bright-on-dark image that the saccades show.
public final class StillImage {
  private static final int SIDE = 28;

  private static final long LARGEST = 64L << 20;

  private StillImage() {}

  /// Reads a PNG or JPEG; a picture with bright edges counts as dark ink on paper and is inverted.
  ///
  /// @return `[28 * 28]` in 0..1
  public static float[] read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound("%s: no such file", file);
    }
    try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw SpillwayException.badFile(file, "", "no PNG or JPEG picture");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in);
        // asked before anything is decoded: a small file may claim any size
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > LARGEST) {
          throw SpillwayException.badFile(
              file,
              "",
              "%d pixels, at most %d are read; make the picture smaller",
              pixels,
              LARGEST);
        }
        return grey(reader.read(0));
      } finally {
        reader.dispose();
      }
    } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
      throw SpillwayException.badFile(
          file,
          "",
          "the picture cannot be decoded: %s",
          String.valueOf(e.getMessage()).replaceAll("\\s+", " "));
    }
  }

  /// A picture in memory, the same way.
  public static float[] grey(BufferedImage image) {
    BufferedImage small = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
    Graphics2D g = small.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    g.drawImage(image, 0, 0, SIDE, SIDE, null);
    g.dispose();
    float[] out = new float[SIDE * SIDE];
    double edge = 0;
    for (int i = 0; i < out.length; i++) {
      out[i] = small.getRaster().getSample(i % SIDE, i / SIDE, 0) / 255f;
      if (i % SIDE == 0 || i % SIDE == SIDE - 1 || i / SIDE == 0 || i / SIDE == SIDE - 1) {
        edge += out[i] / (4 * SIDE - 4);
      }
    }
    if (edge > .5) {
      for (int i = 0; i < out.length; i++) {
        out[i] = 1 - out[i];
      }
    }
    return out;
  }
}
