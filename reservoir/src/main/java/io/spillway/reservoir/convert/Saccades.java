package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.events.EventRecording;
import java.util.random.RandomGenerator;

/// Shows a still image to an event camera that moves as N-MNIST's did: three saccades in 300 ms.
///
/// **Source:** movement and pixel constants measured on 600 genuine recordings against their images
/// (docs/design/reservoir.md).
public final class Saccades {
  /// Sensor pixels along each side.
  public static final int SENSOR = 34;

  private static final int LARGEST_IMAGE = 28;
  private static final long STEP_US = 1000;
  private static final int STEPS = 306;

  /// By how much genuine events come before those of the path's published times, in milliseconds:
  /// address and 10 ms agree best there (docs/results/reservoir.md).
  private static final double LEAD_MS = 3;

  private Saccades() {}

  /// A sensor and an aim that differ a little from recording to recording, for training sets: the
  /// thresholds by 12 %, the aim by .3 pixels (standard deviations).
  public static EventRecording recordVaried(
      float[] image, PixelModel model, RandomGenerator random) {
    double factor = Math.exp(.12 * random.nextGaussian());
    PixelModel varied =
        model.withThreshold(model.thresholdOn() * factor, model.thresholdOff() * factor);
    return record(
        image,
        varied,
        Math.clamp(.3 * random.nextGaussian(), -1, 1),
        Math.clamp(.3 * random.nextGaussian(), -1, 1),
        random);
  }

  /// Horizontal offset of the image, in pixels, `ms` milliseconds into the recording.
  public static double dx(double ms) {
    return .2 + 1.85 * jerk(ms, 30, 88) + 3.65 * jerk(ms, 105, 208) - 4.85 * jerk(ms, 222, 295);
  }

  /// Vertical offset.
  public static double dy(double ms) {
    return 1.05 + 5.5 * jerk(ms, 2, 92) - 5.5 * jerk(ms, 108, 195);
  }

  /// A movement of minimum jerk from 0 at `from` to 1 at `to`.
  private static double jerk(double ms, double from, double to) {
    double s = Math.clamp((ms - from) / (to - from), 0, 1);
    return s * s * s * (10 - 15 * s + 6 * s * s);
  }

  /// The events of one image.
  ///
  /// @param image `[28 * 28]` in 0..1, bright strokes on dark ground as MNIST has them
  public static EventRecording record(float[] image, PixelModel model, RandomGenerator random) {
    return record(image, model, 0, 0, random);
  }

  /// The same with the whole path moved by a fraction of a pixel.
  static EventRecording record(
      float[] image, PixelModel model, double offX, double offY, RandomGenerator random) {
    if (image.length != LARGEST_IMAGE * LARGEST_IMAGE) {
      throw SpillwayException.badInput(
          "an image of %d pixels, %d x %d are needed", image.length, LARGEST_IMAGE, LARGEST_IMAGE);
    }
    float[] blurred = blur(image);
    EventPixels pixels = new EventPixels(model, SENSOR, SENSOR, random);
    float[] frame = new float[SENSOR * SENSOR];
    double lastX = Double.NaN;
    double lastY = Double.NaN;
    for (int t = 0; t <= STEPS; t++) {
      double x = dx(t + LEAD_MS) + offX;
      double y = dy(t + LEAD_MS) + offY;
      if (x != lastX || y != lastY) {
        shift(blurred, x, y, (float) model.contrast(), frame);
        lastX = x;
        lastY = y;
      }
      pixels.show(frame, t * STEP_US);
    }
    return pixels.recording();
  }

  /// The lens: a quarter, a half, a quarter along each axis, onto the sensor with a margin.
  private static float[] blur(float[] image) {
    int n = LARGEST_IMAGE;
    int wide = SENSOR + 16;
    float[] out = new float[wide * wide];
    float[] kernel = {.25f, .5f, .25f};
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x++) {
        float v = image[y * n + x];
        if (v == 0) {
          continue;
        }
        for (int b = -1; b <= 1; b++) {
          for (int a = -1; a <= 1; a++) {
            out[(y + 8 + b) * wide + x + 8 + a] += v * kernel[a + 1] * kernel[b + 1];
          }
        }
      }
    }
    return out;
  }

  /// Bilinear sampling; the sensor sees a dark digit on bright ground.
  private static void shift(float[] blurred, double dx, double dy, float contrast, float[] frame) {
    int wide = SENSOR + 16;
    int floorX = (int) Math.floor(dx);
    int floorY = (int) Math.floor(dy);
    float fx = (float) (dx - floorX);
    float fy = (float) (dy - floorY);
    for (int y = 0; y < SENSOR; y++) {
      int row = y - floorY + 8;
      for (int x = 0; x < SENSOR; x++) {
        int column = x - floorX + 8;
        int at = row * wide + column;
        float here = blurred[at];
        float left = blurred[at - 1];
        float above = blurred[at - wide];
        float corner = blurred[at - wide - 1];
        float v = (1 - fy) * ((1 - fx) * here + fx * left) + fy * ((1 - fx) * above + fx * corner);
        frame[y * SENSOR + x] = 1 - contrast * v;
      }
    }
  }
}
