package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/// Reads a picture as the 28 x 28 bright-on-dark image that the saccades show.
public final class StillImage {
  private static final int SIDE = 28;

  private StillImage() {}

  /// Reads a PNG or JPEG; a picture with bright edges counts as dark ink on paper and is inverted.
  ///
  /// @return `[28 * 28]` in 0..1
  public static float[] read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound("%s: no such file", file);
    }
    try {
      BufferedImage image = ImageIO.read(file.toFile());
      if (image == null) {
        throw SpillwayException.badFile(file, "", "no PNG or JPEG picture");
      }
      return grey(image);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
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
