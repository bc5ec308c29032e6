package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.util.Arrays;

/// One recording in memory, as columns; times never run backwards.
///
/// **Shapes:** every array holds one value an event. **Units:** times in microseconds.
public final class EventRecording {
  private final Sensor sensor;
  private final int size;
  private final long[] timesUs;
  private final char[] xs;
  private final char[] ys;
  private final byte[] polarities;

  private EventRecording(
      Sensor sensor, int size, long[] timesUs, char[] xs, char[] ys, byte[] polarities) {
    this.sensor = sensor;
    this.size = size;
    this.timesUs = timesUs;
    this.xs = xs;
    this.ys = ys;
    this.polarities = polarities;
  }

  public Sensor sensor() {
    return sensor;
  }

  public int size() {
    return size;
  }

  public long timeUs(int i) {
    return timesUs[i];
  }

  public int x(int i) {
    return xs[i];
  }

  public int y(int i) {
    return ys[i];
  }

  public int polarity(int i) {
    return polarities[i];
  }

  /// The flat address of event `i` in its sensor.
  public int address(int i) {
    return sensor.address(xs[i], ys[i], polarities[i]);
  }

  /// From the first event to the last, in microseconds.
  public long durationUs() {
    return size == 0 ? 0 : timesUs[size - 1] - timesUs[0];
  }

  /// Collects events that come in order of time.
  public static final class Builder {
    private final Sensor sensor;
    private int size;
    private long[] timesUs = new long[1024];
    private char[] xs = new char[1024];
    private char[] ys = new char[1024];
    private byte[] polarities = new byte[1024];

    public Builder(Sensor sensor) {
      this.sensor = sensor;
    }

    /// Adds one event.
    ///
    /// **Errors:** an address outside the sensor and a time before the last event's.
    public Builder add(long timeUs, int x, int y, int polarity) {
      if (x < 0 || x >= sensor.width() || y < 0 || y >= sensor.height()) {
        throw SpillwayException.badInput(
            "event %d lies at (%d, %d), outside the sensor of %d x %d",
            size, x, y, sensor.width(), sensor.height());
      }
      if (polarity < 0 || polarity >= sensor.polarities()) {
        throw SpillwayException.badInput(
            "event %d has polarity %d, 0 to %d are known", size, polarity, sensor.polarities() - 1);
      }
      if (size > 0 && timeUs < timesUs[size - 1]) {
        throw SpillwayException.badInput(
            "event %d at %d us comes after one at %d us: times run backwards",
            size, timeUs, timesUs[size - 1]);
      }
      if (size == timesUs.length) {
        int larger = Math.multiplyExact(size, 2);
        timesUs = Arrays.copyOf(timesUs, larger);
        xs = Arrays.copyOf(xs, larger);
        ys = Arrays.copyOf(ys, larger);
        polarities = Arrays.copyOf(polarities, larger);
      }
      timesUs[size] = timeUs;
      xs[size] = (char) x;
      ys[size] = (char) y;
      polarities[size++] = (byte) polarity;
      return this;
    }

    public int size() {
      return size;
    }

    /// The recording of the events so far.
    public EventRecording build() {
      return build(sensor);
    }

    /// The recording of events that were checked against `known` before they came here.
    EventRecording build(Sensor known) {
      return new EventRecording(
          known,
          size,
          Arrays.copyOf(timesUs, size),
          Arrays.copyOf(xs, size),
          Arrays.copyOf(ys, size),
          Arrays.copyOf(polarities, size));
    }
  }
}
