package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// AEDAT 2.0 and 3.1, the formats of jAER and cAER whose headers are lines that begin with `#`.
///
/// Version 2 holds big-endian pairs of an address and microseconds; addresses are those of a
/// DVS128, or of a DAVIS where the header names one. It is written with addresses of a DVS128.
/// Version 3.1 holds packets with a header of 28 bytes; those of polarity events are read, others
/// are passed over, and so are events that the sensor marked invalid.
final class AedatText {
  private static final int LONGEST_LINE = 1 << 16;
  private static final int POLARITY_EVENTS = 1;
  private static final Map<String, Sensor> CHIPS =
      Map.of(
          "DVS128", new Sensor(128, 128, 2),
          "DAVIS240", new Sensor(240, 180, 2),
          "DAVIS346", new Sensor(346, 260, 2),
          "DAVIS640", new Sensor(640, 480, 2),
          "DVXPLORER", new Sensor(640, 480, 2));
  private static final Sensor LARGEST = new Sensor(1 << 15, 1 << 15, 2);

  private AedatText() {}

  static Sensor read(ByteSource in, Optional<Sensor> asked, EventSink sink) {
    Optional<Sensor> named = Optional.empty();
    boolean packets = false;
    boolean first = true;
    while (in.peek() == '#') {
      long at = in.offset();
      String line = in.line(LONGEST_LINE, "the header");
      if (first && line.startsWith("#!AER-DAT")) {
        String version = line.substring("#!AER-DAT".length()).strip();
        packets = version.startsWith("3");
        if (!packets && !version.startsWith("2")) {
          throw in.corrupt(at, "AEDAT version '" + version + "', 2.0 and 3.1 are read here");
        }
      }
      first = false;
      named = named.or(() -> chip(line));
      if (packets && line.startsWith("#!END-HEADER")) {
        break;
      }
    }
    return packets ? readPackets(in, asked, named, sink) : readAddresses(in, asked, named, sink);
  }

  private static Optional<Sensor> chip(String line) {
    String upper = line.toUpperCase(Locale.ROOT);
    return CHIPS.entrySet().stream()
        .filter(e -> upper.contains(e.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private static Sensor readAddresses(
      ByteSource in, Optional<Sensor> asked, Optional<Sensor> named, EventSink sink) {
    Sensor dvs128 = new Sensor(128, 128, 2);
    Sensor chip = named.orElse(dvs128);
    boolean davis = !chip.equals(dvs128);
    Sensor sensor = asked.orElse(chip);
    Limits limits = new Limits(in, sensor, sink);
    long wraps = 0;
    long last = 0;
    while (in.hasMore()) {
      long at = in.offset();
      int address = in.i32be("an event of eight bytes");
      long t = in.i32be("an event of eight bytes") & 0xFFFFFFFFL;
      // the clock has 32 bits: a fall by more than half of it is a wrap, not a step backwards
      if (last - t > 1L << 31) {
        wraps++;
      }
      last = t;
      // frames, inertial measurements and external triggers are passed over
      if ((address & (davis ? 0x80000400 : 0xFFFF8000)) != 0) {
        continue;
      }
      int x = davis ? address >> 12 & 0x3FF : address >> 8 & 127;
      int y = davis ? address >> 22 & 0x1FF : address >> 1 & 127;
      int polarity = (davis ? address >> 11 : address) & 1;
      if (!limits.pass(t + (wraps << 32), x, y, polarity, at)) {
        break;
      }
    }
    return sensor;
  }

  private static Sensor readPackets(
      ByteSource in, Optional<Sensor> asked, Optional<Sensor> named, EventSink sink) {
    Sensor sensor = asked.or(() -> named).orElse(LARGEST);
    Extent extent = new Extent(sink);
    Limits limits = new Limits(in, sensor, extent);
    while (in.hasMore()) {
      long at = in.offset();
      int type = in.u16le("a packet header");
      in.u16le("a packet header");
      int size = in.i32le("a packet header");
      in.i32le("a packet header");
      long overflow = (long) in.i32le("a packet header") << 31;
      int capacity = in.i32le("a packet header");
      int number = in.i32le("a packet header");
      in.i32le("a packet header");
      if (size < 0 || capacity < 0 || number < 0 || number > capacity) {
        throw in.corrupt(
            at,
            String.format(
                "a packet of %d events of %d bytes, capacity %d: its header is corrupt",
                number, size, capacity));
      }
      if (type != POLARITY_EVENTS) {
        in.skip((long) size * number, "a packet of " + number + " events");
        continue;
      }
      if (size != 8) {
        throw in.corrupt(at, "polarity events of " + size + " bytes, 8 were expected");
      }
      for (int i = 0; i < number; i++) {
        long where = in.offset();
        int data = in.i32le("a polarity event");
        int time = in.i32le("a polarity event");
        if (time < 0) {
          throw in.corrupt(where, "the event's time " + time + " us is negative");
        }
        boolean valid = (data & 1) != 0;
        if (valid
            && !limits.pass(
                overflow | time, data >>> 17, data >>> 2 & 0x7FFF, data >>> 1 & 1, where)) {
          return extent.sensor(sensor);
        }
      }
    }
    return extent.sensor(sensor);
  }

  /// Finds the smallest sensor that holds what was seen, for files that do not name theirs.
  private static final class Extent implements EventSink {
    private final EventSink sink;
    private int width = 1;
    private int height = 1;

    Extent(EventSink sink) {
      this.sink = sink;
    }

    @Override
    public boolean event(long timeUs, int x, int y, int polarity, long offset) {
      width = Math.max(width, x + 1);
      height = Math.max(height, y + 1);
      return sink.event(timeUs, x, y, polarity, offset);
    }

    Sensor sensor(Sensor given) {
      return given.equals(LARGEST) ? new Sensor(width, height, 2) : given;
    }
  }

  static void begin2(Sensor sensor, OutputStream out) throws IOException {
    if (sensor.width() > 128 || sensor.height() > 128) {
      throw SpillwayException.doesNotFit(
          "AEDAT 2 with DVS128 addresses holds 128 x 128 pixels, the recording has %d x %d;"
              + " write aedat4",
          sensor.width(), sensor.height());
    }
    ascii(out, "#!AER-DAT2.0\r\n# AEChip: DVS128\r\n");
  }

  static void write2(EventRecording recording, OutputStream out) throws IOException {
    for (int i = 0; i < recording.size(); i++) {
      long t = recording.timeUs(i);
      if (t < 0 || t > 0xFFFFFFFFL) {
        throw SpillwayException.doesNotFit(
            "an event lies at %d us, AEDAT 2 ends at 2^32 us; give --from-zero or write aedat4", t);
      }
      int address = recording.x(i) << 8 | recording.y(i) << 1 | recording.polarity(i);
      bigEndian(out, address);
      bigEndian(out, (int) t);
    }
  }

  private static void bigEndian(OutputStream out, int value) throws IOException {
    LittleEndian.i32(out, Integer.reverseBytes(value));
  }

  static void begin3(OutputStream out) throws IOException {
    ascii(out, "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: Spillway\r\n#!END-HEADER\r\n");
  }

  static void write3(EventRecording recording, OutputStream out) throws IOException {
    int packet = 8192;
    int i = 0;
    while (i < recording.size()) {
      if (recording.timeUs(i) < 0 || recording.timeUs(i) >> 62 != 0) {
        throw SpillwayException.doesNotFit(
            "an event lies at %d us, AEDAT 3.1 holds 0 to 2^62 us; give --from-zero",
            recording.timeUs(i));
      }
      long overflow = recording.timeUs(i) >>> 31;
      int end = i;
      while (end < recording.size()
          && end - i < packet
          && recording.timeUs(end) >>> 31 == overflow) {
        end++;
      }
      LittleEndian.i16(out, POLARITY_EVENTS);
      LittleEndian.i16(out, 1);
      LittleEndian.i32(out, 8);
      LittleEndian.i32(out, 4);
      LittleEndian.i32(out, (int) overflow);
      for (int k = 0; k < 3; k++) {
        LittleEndian.i32(out, end - i);
      }
      for (; i < end; i++) {
        LittleEndian.i32(
            out, recording.x(i) << 17 | recording.y(i) << 2 | recording.polarity(i) << 1 | 1);
        LittleEndian.i32(out, (int) (recording.timeUs(i) & 0x7FFFFFFF));
      }
    }
  }

  private static void ascii(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
