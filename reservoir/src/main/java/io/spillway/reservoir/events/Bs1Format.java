package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.OutputStream;

/// Spikes of N-TIDIGITS as five bytes each: a channel of 16 bits, a set bit, and 23 bits of
/// microseconds.
final class Bs1Format {
  private static final long LAST_US = (1L << 23) - 1;

  private Bs1Format() {}

  static Sensor read(ByteSource in, Sensor sensor, EventSink sink) {
    Limits limits = new Limits(in, sensor, sink);
    while (in.hasMore()) {
      long at = in.offset();
      int high = in.u8("a spike of five bytes");
      int channel = high << 8 | in.u8("a spike of five bytes");
      int b = in.u8("a spike of five bytes");
      int middle = in.u8("a spike of five bytes");
      long t = (long) (b & 127) << 16 | middle << 8 | in.u8("a spike of five bytes");
      if (!limits.pass(t, channel, 0, 0, at)) {
        break;
      }
    }
    return sensor;
  }

  static void begin(Sensor sensor) {
    if (sensor.height() != 1) {
      throw SpillwayException.badInput(
          "the bs1 format holds channels of sound, the recording has %d x %d pixels; write aedat4",
          sensor.width(), sensor.height());
    }
  }

  static void write(EventRecording recording, OutputStream out) throws IOException {
    for (int i = 0; i < recording.size(); i++) {
      long t = recording.timeUs(i);
      if (recording.polarity(i) != 0) {
        throw SpillwayException.badInput(
            "a spike at %d us has polarity 1, the bs1 format holds spikes without a sign", t);
      }
      if (t < 0 || t > LAST_US) {
        throw SpillwayException.doesNotFit(
            "a spike lies at %d us, the bs1 format ends at %d us; give --from-zero or write aedat4",
            t, LAST_US);
      }
      out.write(recording.x(i) >> 8);
      out.write(recording.x(i));
      out.write(0x80 | (int) (t >> 16));
      out.write((int) (t >> 8));
      out.write((int) t);
    }
  }
}
