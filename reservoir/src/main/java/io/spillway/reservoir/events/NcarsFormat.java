package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Prophesee's DAT: header lines that begin with `%`, the event's type and size, then eight bytes
/// an event (microseconds; 14 bits of x, 14 of y, 4 of polarity), little-endian.
final class NcarsFormat {
  private static final int LONGEST_LINE = 4096;
  private static final Sensor ATIS = new Sensor(304, 240, 2);

  private NcarsFormat() {}

  static Sensor read(ByteSource in, Optional<Sensor> asked, EventSink sink) {
    int width = ATIS.width();
    int height = ATIS.height();
    while (in.peek() == '%') {
      long at = in.offset();
      String line = in.line(LONGEST_LINE, "the header");
      String[] words = line.substring(1).strip().split("\\s+");
      if (words.length == 2 && words[0].equalsIgnoreCase("width")) {
        width = number(in, at, words[1]);
      } else if (words.length == 2 && words[0].equalsIgnoreCase("height")) {
        height = number(in, at, words[1]);
      }
    }
    long at = in.offset();
    int type = in.u8("the event type");
    int size = in.u8("the event size");
    if (size != 8) {
      throw in.corrupt(
          at, "events of type " + type + " and " + size + " bytes, 8 bytes were expected");
    }
    Sensor sensor = asked.orElse(new Sensor(width, height, 2));
    Limits limits = new Limits(in, sensor, sink);
    while (in.hasMore()) {
      at = in.offset();
      long t = in.i32le("an event of eight bytes") & 0xFFFFFFFFL;
      int data = in.i32le("an event of eight bytes");
      if (!limits.pass(t, data & 0x3FFF, data >>> 14 & 0x3FFF, data >>> 28, at)) {
        break;
      }
    }
    return sensor;
  }

  private static int number(ByteSource in, long at, String text) {
    if (!text.matches("[1-9][0-9]{0,4}") || Integer.parseInt(text) > 1 << 14) {
      throw in.corrupt(at, "'" + text + "' is no size of a sensor, 1 to 16384 was expected");
    }
    return Integer.parseInt(text);
  }

  static void begin(Sensor sensor, OutputStream out) throws IOException {
    if (sensor.width() > 1 << 14 || sensor.height() > 1 << 14) {
      throw SpillwayException.doesNotFit(
          "the DAT format holds 16384 x 16384 pixels, the recording has %d x %d",
          sensor.width(), sensor.height());
    }
    String header =
        "% Data file containing Event2D events.\n% Version 2\n% Width "
            + sensor.width()
            + "\n% Height "
            + sensor.height()
            + "\n";
    out.write(header.getBytes(StandardCharsets.US_ASCII));
    out.write(0);
    out.write(8);
  }

  static void write(EventRecording recording, OutputStream out) throws IOException {
    for (int i = 0; i < recording.size(); i++) {
      long t = recording.timeUs(i);
      if (t < 0 || t > 0xFFFFFFFFL) {
        throw SpillwayException.doesNotFit(
            "an event lies at %d us, DAT ends at 2^32 us; give --from-zero or write aedat4", t);
      }
      LittleEndian.i32(out, (int) t);
      LittleEndian.i32(out, recording.x(i) | recording.y(i) << 14 | recording.polarity(i) << 28);
    }
  }
}
