package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.Sensor;

/// How the events of a recording become the inputs of the liquid, step by step: equal bins of time,
/// all events of one address in one bin counting as one spike.
///
/// @param sensorWidth columns of the sensor
/// @param sensorHeight rows of the sensor, 1 for sound
/// @param polarities which polarities become inputs
/// @param left first column that is kept
/// @param top first row that is kept
/// @param width columns that are kept
/// @param height rows that are kept
/// @param pool neighbouring addresses along each axis that share one input
/// @param steps time bins
/// @param span the time that the bins cover
public record Framing(
    int sensorWidth,
    int sensorHeight,
    Polarities polarities,
    @Default("0") int left,
    @Default("0") int top,
    int width,
    int height,
    @Default("1") int pool,
    int steps,
    Span span) {
  /// Which polarities become inputs.
  public enum Polarities {
    /// Both, each with inputs of its own.
    BOTH,
    /// Only events of polarity 0.
    FIRST,
    /// Both on the same inputs.
    MERGED
  }

  /// The time that the bins cover.
  public sealed interface Span {
    /// From time 0 for so long; later events are left out.
    record Fixed(long microseconds) implements Span {
      public Fixed {
        if (microseconds < 1) {
          throw SpillwayException.badInput("a span of %d us, above 0 is possible", microseconds);
        }
      }
    }

    /// From the first event to the last of each recording.
    record Recording() implements Span {}
  }

  /// N-MNIST whole: 34 x 34 x 2 inputs in 50 bins over 300 ms.
  public static final Framing NMNIST =
      new Framing(34, 34, Polarities.BOTH, 0, 0, 34, 34, 1, 50, new Span.Fixed(306_000));

  /// N-MNIST as first published for this system: the middle 16 x 16 pixels of polarity 0.
  public static final Framing NMNIST_CENTRE =
      new Framing(34, 34, Polarities.FIRST, 9, 9, 16, 16, 1, 50, new Span.Recording());

  /// N-TIDIGITS: 64 channels in 129 bins over each recording.
  public static final Framing TIDIGITS =
      new Framing(64, 1, Polarities.MERGED, 0, 0, 64, 1, 1, 129, new Span.Recording());

  /// Spiking Heidelberg Digits: 700 channels in groups of five, 100 bins over each recording.
  public static final Framing SHD =
      new Framing(700, 1, Polarities.MERGED, 0, 0, 700, 1, 5, 100, new Span.Recording());

  public Framing {
    if (steps < 1 || steps > 10_000) {
      throw SpillwayException.badInput("%d time steps, 1 to 10000 are possible", steps);
    }
    if (pool < 1
        || width < 1
        || height < 1
        || left < 0
        || top < 0
        || left + width > sensorWidth
        || top + height > sensorHeight) {
      throw SpillwayException.badInput(
          "a region of %d x %d from (%d, %d), pooled by %d, does not lie in a sensor of %d x %d",
          width, height, left, top, pool, sensorWidth, sensorHeight);
    }
    if ((long) width * height > 1 << 20) {
      throw SpillwayException.doesNotFit(
          "a region of %d x %d gives more than 2^20 inputs; set pool", width, height);
    }
  }

  /// The framing that suits a sensor: the two data sets' own, else the whole sensor pooled to at
  /// most 4,096 inputs.
  public static Framing forSensor(Sensor sensor) {
    if (sensor.equals(Sensor.NMNIST)) {
      return NMNIST;
    }
    if (sensor.equals(Sensor.NTIDIGITS)) {
      return TIDIGITS;
    }
    if (sensor.equals(Sensor.SHD)) {
      return SHD;
    }
    int pool = 1;
    while ((long) ceil(sensor.width(), pool) * ceil(sensor.height(), pool) > 2048) {
      pool++;
    }
    return new Framing(
        sensor.width(),
        sensor.height(),
        sensor.polarities() == 2 ? Polarities.BOTH : Polarities.MERGED,
        0,
        0,
        sensor.width(),
        sensor.height(),
        pool,
        50,
        new Span.Recording());
  }

  private static int ceil(int a, int b) {
    return (a + b - 1) / b;
  }

  /// Columns of inputs.
  public int columns() {
    return ceil(width, pool);
  }

  /// Rows of inputs.
  public int rows() {
    return ceil(height, pool);
  }

  /// Planes of inputs.
  public int planes() {
    return polarities == Polarities.BOTH ? 2 : 1;
  }

  /// Inputs in all.
  public int inputs() {
    return planes() * rows() * columns();
  }

  /// The frames of one recording.
  ///
  /// **Errors:** a recording of another sensor, and one without events in the region.
  public SpikeFrames frames(EventRecording recording) {
    Sensor sensor = recording.sensor();
    if (sensor.width() != sensorWidth || sensor.height() != sensorHeight) {
      throw SpillwayException.badInput(
          "the recording comes from a sensor of %d x %d, this model from one of %d x %d",
          sensor.width(), sensor.height(), sensorWidth, sensorHeight);
    }
    if (recording.size() == 0) {
      throw SpillwayException.badInput("the recording has no events");
    }
    long start =
        switch (span) {
          case Span.Fixed _ -> 0;
          case Span.Recording _ -> recording.timeUs(0);
        };
    long covered =
        switch (span) {
          case Span.Fixed fixed -> fixed.microseconds();
          case Span.Recording _ -> recording.durationUs() + 1;
        };
    SpikeFrames.Builder frames = new SpikeFrames.Builder(steps, inputs());
    for (int i = 0; i < recording.size(); i++) {
      long t = recording.timeUs(i) - start;
      if (t < 0 || t >= covered) {
        continue;
      }
      int x = recording.x(i) - left;
      int y = recording.y(i) - top;
      int p = recording.polarity(i);
      if (x < 0
          || x >= width
          || y < 0
          || y >= height
          || (polarities == Polarities.FIRST && p != 0)) {
        continue;
      }
      int plane = polarities == Polarities.BOTH ? p : 0;
      frames.add((int) (t * steps / covered), (plane * rows() + y / pool) * columns() + x / pool);
    }
    return frames.build();
  }
}
