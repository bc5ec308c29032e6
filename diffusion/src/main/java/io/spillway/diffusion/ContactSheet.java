package io.spillway.diffusion;

import io.spillway.diffusion.shapes.Png;
import io.spillway.diffusion.shapes.Raster;
import io.spillway.report.Fonts;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/// One picture that shows what strategies do: a row of images for each, and beneath it where they
/// differ from one device, which comes first.
public final class ContactSheet {
  private static final int SCALE = 2;
  private static final int LABEL = 180;
  private static final int LINE = 17;
  private static final int GAP = 4;
  private static final double FULL_ERROR = 0.5;

  private ContactSheet() {}

  /// A strategy's pictures, [images, 3, size, size].
  ///
  /// @param label one line or several
  public record Strip(String label, float[] pixels) {}

  /// Draws the first `shown` pictures of each; the first strip is the reference.
  public static Raster draw(List<Strip> strips, int size, int shown) {
    int side = size * SCALE;
    int row = 2 * side + 3 * GAP;
    BufferedImage sheet =
        new BufferedImage(
            LABEL + shown * (side + GAP),
            side + 2 * GAP + (strips.size() - 1) * row,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D g = sheet.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    float[] reference = strips.getFirst().pixels();
    for (int s = 0; s < strips.size(); s++) {
      int y = s == 0 ? 0 : side + 2 * GAP + (s - 1) * row;
      write(g, strips.get(s).label(), y + side / 2);
      if (s > 0) {
        write(g, "difference to the first:\nwhite none, red " + FULL_ERROR, y + side + side / 2);
      }
      float[] pixels = strips.get(s).pixels();
      for (int i = 0; i < shown; i++) {
        int offset = i * 3 * size * size;
        int x = LABEL + i * (side + GAP);
        g.drawImage(buffered(Png.image(pixels, offset, size, size)), x, y, side, side, null);
        if (s > 0) {
          BufferedImage map = errorMap(pixels, reference, offset, size);
          g.drawImage(map, x, y + side + GAP, side, side, null);
        }
      }
    }
    g.dispose();
    int[] rgb = sheet.getRGB(0, 0, sheet.getWidth(), sheet.getHeight(), null, 0, sheet.getWidth());
    return new Raster(
        sheet.getHeight(),
        sheet.getWidth(),
        java.util.Arrays.stream(rgb).map(p -> p & 0xFFFFFF).toArray());
  }

  private static void write(Graphics2D g, String text, int middle) {
    List<String> lines = text.lines().toList();
    g.setColor(Color.BLACK);
    for (int i = 0; i < lines.size(); i++) {
      Fonts.draw(g, lines.get(i), GAP, middle + Math.round((i - (lines.size() - 2) / 2f) * LINE));
    }
  }

  private static BufferedImage buffered(Raster picture) {
    BufferedImage image =
        new BufferedImage(picture.columns(), picture.rows(), BufferedImage.TYPE_INT_RGB);
    image.setRGB(0, 0, picture.columns(), picture.rows(), picture.rgb(), 0, picture.columns());
    return image;
  }

  /// White where equal, red where a pixel differs by [#FULL_ERROR] (of the range -1..1) or more.
  static BufferedImage errorMap(float[] a, float[] b, int offset, int size) {
    BufferedImage map = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    int plane = size * size;
    for (int i = 0; i < plane; i++) {
      double error = 0;
      for (int k = 0; k < 3; k++) {
        error += Math.abs(a[offset + k * plane + i] - b[offset + k * plane + i]) / 3;
      }
      int fade = (int) Math.round(255 * (1 - Math.min(1, error / FULL_ERROR)));
      map.setRGB(i % size, i / size, 255 << 16 | fade << 8 | fade);
    }
    return map;
  }
}
