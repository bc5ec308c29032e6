package io.spillway.reservoir.convert;

import java.util.random.RandomGenerator;

/// Digits drawn by strokes with a shaking hand, for demonstrations and tests where no data set is
/// at hand.
public final class DrawnDigits {
  private static final int SIDE = 28;
  private static final double WEIGHT = 1.3;

  /// Strokes of each digit as points on a field of 10 x 16.
  private static final double[][][] STROKES = {
    {{5, 0, 1, 3, 0, 8, 1, 13, 5, 16, 9, 13, 10, 8, 9, 3, 5, 0}},
    {{3, 3, 6, 0, 6, 16}},
    {{1, 3, 4, 0, 8, 1, 9, 5, 5, 10, 0, 16, 10, 16}},
    {{1, 1, 6, 0, 9, 3, 7, 7, 4, 8}, {4, 8, 9, 10, 9, 14, 5, 16, 0, 15}},
    {{7, 16, 7, 0, 0, 11, 10, 11}},
    {{9, 0, 2, 0, 1, 7, 6, 6, 10, 10, 8, 15, 3, 16, 0, 14}},
    {{8, 0, 3, 4, 0, 10, 2, 15, 7, 16, 10, 12, 7, 8, 2, 9}},
    {{0, 0, 10, 0, 4, 16}},
    {{5, 8, 1, 5, 2, 1, 5, 0, 8, 1, 9, 5, 5, 8, 0, 12, 2, 15, 5, 16, 8, 15, 10, 12, 5, 8}},
    {{9, 5, 5, 8, 1, 6, 2, 1, 6, 0, 9, 3, 8, 10, 6, 16}}
  };

  private DrawnDigits() {}

  /// One digit, `[28 * 28]` in 0..1, bright on dark.
  public static float[] draw(int digit, RandomGenerator random) {
    double size = 1.05 + .12 * random.nextGaussian();
    double slant = .15 * random.nextGaussian();
    double left = 14 + 1.2 * random.nextGaussian();
    double top = 14 + 1.2 * random.nextGaussian();
    double weight = WEIGHT * Math.exp(.15 * random.nextGaussian());
    float[] out = new float[SIDE * SIDE];
    for (double[] stroke : STROKES[digit]) {
      double[] xs = new double[stroke.length / 2];
      double[] ys = new double[xs.length];
      for (int k = 0; k < xs.length; k++) {
        double x = stroke[2 * k] - 5 + .5 * random.nextGaussian();
        double y = stroke[2 * k + 1] - 8 + .5 * random.nextGaussian();
        xs[k] = left + size * (x - slant * y);
        ys[k] = top + size * y;
      }
      for (int k = 0; k + 1 < xs.length; k++) {
        line(out, xs[k], ys[k], xs[k + 1], ys[k + 1], weight);
      }
    }
    return out;
  }

  private static void line(float[] out, double ax, double ay, double bx, double by, double weight) {
    double dx = bx - ax;
    double dy = by - ay;
    double square = Math.max(1e-9, dx * dx + dy * dy);
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        double share = Math.clamp(((x - ax) * dx + (y - ay) * dy) / square, 0, 1);
        double off = Math.hypot(x - ax - share * dx, y - ay - share * dy);
        double ink = Math.clamp(weight + .5 - off, 0, 1);
        out[y * SIDE + x] = (float) Math.max(out[y * SIDE + x], ink);
      }
    }
  }
}
