package io.spillway.reservoir.events;

/// Checks each event of a stream before it is handed on, with the byte offset in every complaint.
final class Limits {
  private final ByteSource in;
  private final int width;
  private final int height;
  private final EventSink sink;
  private long last = Long.MIN_VALUE;

  Limits(ByteSource in, Sensor sensor, EventSink sink) {
    this.in = in;
    this.width = sensor.width();
    this.height = sensor.height();
    this.sink = sink;
  }

  boolean pass(long timeUs, int x, int y, int polarity, long offset) {
    if (x < 0 || x >= width || y < 0 || y >= height) {
      throw in.corrupt(
          offset,
          String.format(
              "the event lies at (%d, %d), outside the sensor of %d x %d", x, y, width, height));
    }
    if (polarity < 0 || polarity > 1) {
      throw in.corrupt(offset, "polarity " + polarity + " is unknown, 0 or 1 was expected");
    }
    if (timeUs < last) {
      throw in.corrupt(
          offset,
          String.format(
              "times run backwards: %d us after %d us; sort the recording first", timeUs, last));
    }
    last = timeUs;
    return sink.event(timeUs, x, y, polarity, offset);
  }
}
