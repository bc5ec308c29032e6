package io.spillway.diffusion.shapes;

import java.util.random.RandomGenerator;

/// Draws one labelled picture: a shape of one colour on a texture of two others.
///
/// **Shapes:** pixels are [3, size, size] in -1..1.
public final class Picture {
  private Picture() {}

  /// Draws `shape` at a random place, size, tilt and colour into `pixels` from `offset` on.
  public static void draw(
      Shape shape, int size, RandomGenerator random, float[] pixels, int offset) {
    double[] front = colour(random);
    double[] back = colour(random);
    while (difference(front, back) < 0.9) {
      back = colour(random);
    }
    double radius = size * random.nextDouble(0.24, 0.36);
    double centreX = size * random.nextDouble(0.38, 0.62);
    double centreY = size * random.nextDouble(0.38, 0.62);
    double tilt = random.nextDouble(-0.35, 0.35);
    double cos = Math.cos(tilt) / radius;
    double sin = Math.sin(tilt) / radius;
    double direction = random.nextDouble(Math.PI);
    double wave = 2 * Math.PI * random.nextDouble(2, 5) / size;
    double waveX = wave * Math.cos(direction);
    double waveY = wave * Math.sin(direction);
    double phase = random.nextDouble(2 * Math.PI);
    double strength = random.nextDouble(0.05, 0.22);
    double slope = random.nextDouble(-0.3, 0.3) / size;
    for (int r = 0; r < size; r++) {
      for (int c = 0; c < size; c++) {
        double x = c + 0.5 - centreX;
        double y = r + 0.5 - centreY;
        double distance = shape.distance(cos * x + sin * y, cos * y - sin * x) * radius;
        double cover = Math.clamp(0.5 - distance, 0, 1);
        double texture = strength * Math.sin(waveX * c + waveY * r + phase) + slope * (r - c);
        for (int k = 0; k < 3; k++) {
          double value = cover * front[k] + (1 - cover) * (back[k] + texture);
          pixels[offset + (k * size + r) * size + c] = (float) Math.clamp(value, -1, 1);
        }
      }
    }
  }

  private static double[] colour(RandomGenerator random) {
    return new double[] {
      random.nextDouble(-0.9, 0.9), random.nextDouble(-0.9, 0.9), random.nextDouble(-0.9, 0.9)
    };
  }

  private static double difference(double[] a, double[] b) {
    return Math.sqrt(
        (a[0] - b[0]) * (a[0] - b[0])
            + (a[1] - b[1]) * (a[1] - b[1])
            + (a[2] - b[2]) * (a[2] - b[2]));
  }
}
