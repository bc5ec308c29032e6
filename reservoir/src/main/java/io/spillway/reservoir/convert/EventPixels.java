package io.spillway.reservoir.convert;

import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.Sensor;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/// A sensor of event pixels, fed with one frame of intensities after the other.
///
/// **Units:** intensities 0..1, times in microseconds.
public final class EventPixels {
  private static final double LINEAR_UP_TO = 20;
  private static final int TABLE = 4096;

  private final PixelModel model;
  private final int width;
  private final int size;
  private final RandomGenerator random;
  private final double[] table = new double[TABLE + 1];
  private final double[] on;
  private final double[] off;
  private final double[] signal;
  private final double[] reference;
  private final float[] shown;
  private final double[] target;
  private double untilNoise;
  private double followSeconds = -1;
  private double followShare;
  private final EventRecording.Builder events;
  private long[] keys = new long[256];
  private int pending;
  private long lastUs = -1;

  public EventPixels(PixelModel model, int width, int height, RandomGenerator random) {
    this.model = model;
    this.width = width;
    this.size = width * height;
    this.random = random;
    if (model.response() instanceof PixelModel.Response.Logarithmic log) {
      for (int k = 0; k <= TABLE; k++) {
        table[k] = Math.log(k / (double) TABLE + log.floor());
      }
    }
    on = new double[size];
    off = new double[size];
    for (int i = 0; i < size; i++) {
      on[i] = threshold(model.thresholdOn());
      off[i] = threshold(model.thresholdOff());
    }
    signal = new double[size];
    reference = new double[size];
    shown = new float[size];
    target = new double[size];
    untilNoise = model.noiseHz() > 0 ? random.nextExponential() : Double.POSITIVE_INFINITY;
    events = new EventRecording.Builder(new Sensor(width, height, 2));
  }

  private double threshold(double mean) {
    return Math.max(.01, mean * (1 + model.thresholdSpread() * random.nextGaussian()));
  }

  private double respond(float intensity) {
    return switch (model.response()) {
      case PixelModel.Response.Logarithmic log -> {
        // a table of 4,096 steps, straight between them, is off by less than 1e-6
        double at = Math.clamp(intensity, 0f, 1f) * TABLE;
        int k = Math.min(TABLE - 1, (int) at);
        yield table[k] + (at - k) * (table[k + 1] - table[k]);
      }
      case PixelModel.Response.LinearLogarithmic _ -> {
        double i = intensity * 255.0;
        yield i <= LINEAR_UP_TO ? i * Math.log(LINEAR_UP_TO) / LINEAR_UP_TO : Math.log(i);
      }
    };
  }

  private double follow(float intensity, double seconds) {
    double full = 2 * Math.PI * model.cutoffHz() * seconds;
    return switch (model.response()) {
      case PixelModel.Response.Logarithmic _ -> {
        if (seconds != followSeconds) {
          followSeconds = seconds;
          followShare = 1 - Math.exp(-full);
        }
        yield followShare;
      }
      case PixelModel.Response.LinearLogarithmic _ ->
          Math.min(1, (intensity * 255 + 20) / 275 * full);
    };
  }

  /// Shows a frame at a time; the first one only sets the references.
  ///
  /// @param frame `[height * width]`
  public void show(float[] frame, long timeUs) {
    if (lastUs < 0) {
      for (int i = 0; i < size; i++) {
        shown[i] = frame[i];
        target[i] = respond(frame[i]);
        signal[i] = target[i];
        reference[i] = signal[i];
      }
      lastUs = timeUs;
      return;
    }
    double seconds = (timeUs - lastUs) * 1e-6;
    pending = 0;
    double leak = seconds * model.leakHz();
    for (int i = 0; i < size; i++) {
      if (frame[i] != shown[i]) {
        shown[i] = frame[i];
        target[i] = respond(frame[i]);
      }
      double before = signal[i];
      if (before != target[i]) {
        double moved = before + follow(frame[i], seconds) * (target[i] - before);
        signal[i] = Math.abs(moved - target[i]) < 1e-7 ? target[i] : moved;
      } else if (leak == 0) {
        continue; // nothing changes where nothing moves
      }
      reference[i] -= leak * on[i];
      double difference = signal[i] - reference[i];
      if (difference >= on[i]) {
        cross(i, 1, on[i], before, timeUs);
      } else if (-difference >= off[i]) {
        cross(i, 0, -off[i], before, timeUs);
      }
    }
    // false events come at random over all pixels together
    untilNoise -= model.noiseHz() * seconds * size;
    while (untilNoise <= 0) {
      event(random.nextInt(size), random.nextInt(2), lastUs + random.nextLong(timeUs - lastUs));
      untilNoise += random.nextExponential();
    }
    Arrays.sort(keys, 0, pending);
    for (int k = 0; k < pending; k++) {
      int place = (int) (keys[k] >> 1 & 0x3FFFFFF);
      events.add(keys[k] >> 27, place % width, place / width, (int) (keys[k] & 1));
    }
    lastUs = timeUs;
  }

  /// All events of one pixel in one step, at the times when a straight line would cross.
  private void cross(int i, int polarity, double step, double before, long timeUs) {
    double travel = signal[i] - before;
    int count = (int) ((signal[i] - reference[i]) / step);
    for (int k = 1; k <= count; k++) {
      double level = reference[i] + k * step;
      double share = travel == 0 ? 1 : Math.clamp((level - before) / travel, 0, 1);
      event(i, polarity, lastUs + Math.round(share * (timeUs - lastUs - 1)));
    }
    reference[i] += count * step;
  }

  private void event(int place, int polarity, long timeUs) {
    if (pending == keys.length) {
      keys = Arrays.copyOf(keys, 2 * pending);
    }
    keys[pending++] = timeUs << 27 | (long) place << 1 | polarity;
  }

  /// What was recorded.
  public EventRecording recording() {
    return events.build();
  }
}
