package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.OutputStream;

/// N-MNIST's five bytes an event: x, y, then one bit of polarity and 23 bits of microseconds.
///
/// A row of 240 is no event: it marks that the sensor's clock of 2^13 µs wrapped. **Source:**
/// Orchard et al. 2015, the data set's published reader.
final class NmnistFormat {
  private static final int WRAP_ROW = 240;
  private static final long WRAP_US = 1L << 13;
  private static final long LAST_US = (1L << 23) - 1;

  private NmnistFormat() {}

  static Sensor read(ByteSource in, Sensor sensor, EventSink sink) {
    Limits limits = new Limits(in, sensor, sink);
    long added = 0;
    while (in.hasMore()) {
      long at = in.offset();
      int x = in.u8("an event of five bytes");
      int y = in.u8("an event of five bytes");
      int b = in.u8("an event of five bytes");
      int middle = in.u8("an event of five bytes");
      long t = (long) (b & 127) << 16 | middle << 8 | in.u8("an event of five bytes");
      if (y == WRAP_ROW) {
        added += WRAP_US;
        continue;
      }
      if (!limits.pass(t + added, x, y, b >> 7, at)) {
        break;
      }
    }
    return sensor;
  }

  static void begin(Sensor sensor) {
    if (sensor.width() > 256 || sensor.height() > WRAP_ROW) {
      throw SpillwayException.doesNotFit(
          "the N-MNIST format holds 256 x 240 pixels, the recording has %d x %d; write aedat4",
          sensor.width(), sensor.height());
    }
  }

  static void write(EventRecording recording, OutputStream out) throws IOException {
    for (int i = 0; i < recording.size(); i++) {
      long t = recording.timeUs(i);
      if (t < 0 || t > LAST_US) {
        throw SpillwayException.doesNotFit(
            "an event lies at %d us, the N-MNIST format ends at %d us; write aedat4 or give"
                + " --from-zero",
            t, LAST_US);
      }
      out.write(recording.x(i));
      out.write(recording.y(i));
      out.write(recording.polarity(i) << 7 | (int) (t >> 16));
      out.write((int) (t >> 8));
      out.write((int) t);
    }
  }
}
