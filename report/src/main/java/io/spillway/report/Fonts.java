package io.spillway.report;

import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;

/// Whether text can be drawn: small containers and bare hosts have no fonts, and a picture's labels
/// are no reason to lose the result of long work.
public final class Fonts {
  static final String ADVICE =
      "this machine has no fonts (install fontconfig and a font, for example fonts-dejavu-core)";

  private static final boolean USABLE = probe();

  private Fonts() {}

  public static boolean usable() {
    return USABLE;
  }

  /// Draws text if that is possible here.
  public static void draw(Graphics2D g, String text, int x, int y) {
    if (USABLE) {
      g.drawString(text, x, y);
    }
  }

  private static boolean probe() {
    try {
      Graphics2D g = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
      g.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, 13)).stringWidth("x");
      g.dispose();
      return true;
    } catch (RuntimeException | LinkageError | InternalError e) {
      System.err.println("spillway: pictures come without text: " + ADVICE);
      return false;
    }
  }
}
