package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/// AEDAT 4 of DV: a version line, a flatbuffer header with an XML description of the streams, then
/// packets, each a flatbuffer, by itself or as one LZ4 frame. Streams of events are read, others
/// are passed over.
///
/// **Source:** the published AEDAT 4 file format.
final class Aedat4Format {
  private static final String MAGIC = "#!AER-DAT4.0";
  private static final int LARGEST_HEADER = 16 << 20;
  private static final int LARGEST_PACKET = 64 << 20;
  private static final int EVENT = 16;
  private static final int NONE = 0;
  private static final int LZ4 = 1;
  private static final int LZ4_HIGH = 2;

  private Aedat4Format() {}

  /// What the header says.
  private record Header(int compression, long dataTable, Map<Integer, Stream> streams) {}

  private static final class Stream {
    private String type = "";
    private int width;
    private int height;
  }

  static Sensor read(ByteSource in, Optional<Sensor> asked, EventSink sink) {
    String magic = in.line(64, "the version line");
    if (!magic.equals(MAGIC)) {
      throw in.corrupt(0, "the file does not begin with " + MAGIC + ", it is no AEDAT 4");
    }
    Header header = header(in);
    Sensor sensor =
        asked.orElseGet(() ->
            header.streams().values().stream()
                .filter(s -> s.type.equals("EVTS") && s.width > 0 && s.height > 0)
                .map(s -> new Sensor(s.width, s.height, 2))
                .findFirst()
                .orElse(new Sensor(1 << 15, 1 << 15, 2)));
    Limits limits = new Limits(in, sensor, sink);
    while (in.hasMore() && (header.dataTable() <= 0 || in.offset() < header.dataTable())) {
      long at = in.offset();
      int stream = in.i32le("a packet header");
      int size = in.i32le("a packet header");
      if (size < 0 || size > LARGEST_PACKET) {
        throw in.corrupt(at, "a packet of " + size + " bytes: its header is corrupt");
      }
      Stream known = header.streams().get(stream);
      if (known == null) {
        throw in.corrupt(
            at, "a packet of stream " + stream + ", the header names " + header.streams().keySet());
      }
      if (!known.type.equals("EVTS")) {
        in.skip(size, "a packet of " + size + " bytes");
        continue;
      }
      if (!events(in, at, plain(in, at, size, header.compression()), limits)) {
        break;
      }
    }
    return sensor;
  }

  private static Header header(ByteSource in) {
    long at = in.offset();
    int size = in.i32le("the header");
    if (size < 8 || size > LARGEST_HEADER) {
      throw in.corrupt(at, "a header of " + size + " bytes: it is corrupt");
    }
    byte[] bytes = in.bytes(size, "the header");
    try {
      FlatTable table = FlatTable.root(bytes, 0, "IOHE");
      int compression = table.i32(0, NONE);
      if (compression != NONE && compression != LZ4 && compression != LZ4_HIGH) {
        throw in.corrupt(
            at, "compression " + compression + " (Zstandard is 3 and 4); record with LZ4 or none");
      }
      return new Header(compression, table.i64(1, -1), streams(table.text(2)));
    } catch (IndexOutOfBoundsException | XMLStreamException e) {
      throw in.corrupt(at, "the header is corrupt: " + e.getMessage());
    }
  }

  /// Reads type and size of each stream under `outInfo`.
  private static Map<Integer, Stream> streams(String xml) throws XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    XMLStreamReader reader = factory.createXMLStreamReader(new StringReader(xml));
    Map<Integer, Stream> streams = new HashMap<>();
    Stream current = new Stream();
    while (reader.hasNext()) {
      if (reader.next() != XMLStreamConstants.START_ELEMENT) {
        continue;
      }
      if (reader.getLocalName().equals("node")) {
        String name = String.valueOf(reader.getAttributeValue(null, "name"));
        if (name.matches("[0-9]{1,9}")) {
          current = new Stream();
          streams.put(Integer.parseInt(name), current);
        }
      } else if (reader.getLocalName().equals("attr")) {
        String key = String.valueOf(reader.getAttributeValue(null, "key"));
        switch (key) {
          case "typeIdentifier" -> current.type = reader.getElementText().strip();
          case "sizeX" -> current.width = size(reader.getElementText());
          case "sizeY" -> current.height = size(reader.getElementText());
          default -> {}
        }
      }
    }
    return streams;
  }

  private static int size(String text) {
    String digits = text.strip();
    return digits.matches("[0-9]{1,5}") ? Math.min(1 << 15, Integer.parseInt(digits)) : 0;
  }

  private static byte[] plain(ByteSource in, long at, int size, int compression) {
    byte[] packet = in.bytes(size, "a packet of " + size + " bytes");
    if (compression == NONE) {
      return packet;
    }
    try {
      return Lz4Frame.decompress(packet, LARGEST_PACKET);
    } catch (Lz4Frame.Malformed e) {
      throw in.corrupt(at + 8 + e.offset(), String.valueOf(e.getMessage()));
    }
  }

  private static boolean events(ByteSource in, long at, byte[] packet, Limits limits) {
    try {
      FlatTable table = FlatTable.root(packet, 4, "EVTS");
      OptionalInt vector = table.vector(0, EVENT);
      if (vector.isEmpty()) {
        return true;
      }
      ByteBuffer bytes = table.bytes();
      int first = vector.getAsInt();
      int count = bytes.getInt(first - 4);
      for (int i = 0; i < count; i++) {
        int e = first + i * EVENT;
        boolean more =
            limits.pass(
                bytes.getLong(e),
                bytes.getShort(e + 8),
                bytes.getShort(e + 10),
                bytes.get(e + 12) & 255,
                at);
        if (!more) {
          return false;
        }
      }
      return true;
    } catch (IndexOutOfBoundsException e) {
      throw in.corrupt(at, "a packet of events is corrupt: " + e.getMessage());
    }
  }

  static void begin(Sensor sensor, OutputStream out) throws IOException {
    if (sensor.width() > 1 << 15 || sensor.height() > 1 << 15) {
      throw SpillwayException.doesNotFit(
          "AEDAT 4 holds 32768 x 32768 pixels, the recording has %d x %d",
          sensor.width(), sensor.height());
    }
    out.write((MAGIC + "\r\n").getBytes(StandardCharsets.US_ASCII));
    out.write(headerBytes(sensor));
  }

  static void write(EventRecording recording, OutputStream out) throws IOException {
    int packet = 8192;
    for (int from = 0; from < recording.size(); from += packet) {
      int to = Math.min(recording.size(), from + packet);
      byte[] frame = Lz4Frame.compress(packetBytes(recording, from, to));
      LittleEndian.i32(out, 0);
      LittleEndian.i32(out, frame.length);
      out.write(frame);
    }
  }

  private static byte[] headerBytes(Sensor sensor) {
    String xml =
        """
        <dv version="2.0">
          <node name="outInfo" path="/outInfo/">
            <node name="0" path="/outInfo/0/">
              <attr key="compression" type="string">LZ4</attr>
              <attr key="originalModuleName" type="string">spillway</attr>
              <attr key="originalOutputName" type="string">events</attr>
              <attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>
              <attr key="typeIdentifier" type="string">EVTS</attr>
              <node name="info" path="/outInfo/0/info/">
                <attr key="sizeX" type="int">%d</attr>
                <attr key="sizeY" type="int">%d</attr>
                <attr key="source" type="string">spillway</attr>
              </node>
            </node>
          </node>
        </dv>
        """
            .formatted(sensor.width(), sensor.height());
    byte[] text = xml.getBytes(StandardCharsets.UTF_8);
    // root at 20: compression at +4, text offset at +8, data table at +12
    int table = 20;
    int string = table + 20;
    int size = string + 4 + text.length + 1;
    ByteBuffer bytes = ByteBuffer.allocate(4 + size).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(size);
    ByteBuffer b = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0, table);
    b.put(4, "IOHE".getBytes(StandardCharsets.US_ASCII));
    int vtable = 8;
    b.putShort(vtable, (short) 10);
    b.putShort(vtable + 2, (short) 20);
    b.putShort(vtable + 4, (short) 4);
    b.putShort(vtable + 6, (short) 12);
    b.putShort(vtable + 8, (short) 8);
    b.putInt(table, table - vtable);
    b.putInt(table + 4, LZ4);
    b.putInt(table + 8, string - (table + 8));
    b.putLong(table + 12, -1);
    b.putInt(string, text.length);
    b.put(string + 4, text);
    return bytes.array();
  }

  private static byte[] packetBytes(EventRecording recording, int from, int to) {
    int count = to - from;
    int table = 16;
    int vector = 28; // its elements begin at 32, aligned to 8 as the format wants
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int size = vector + 4 + count * EVENT;
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0, table);
    b.put(4, "EVTS".getBytes(StandardCharsets.US_ASCII));
    int vtable = 8;
    b.putShort(vtable, (short) 6);
    b.putShort(vtable + 2, (short) 8);
    b.putShort(vtable + 4, (short) 4);
    b.putInt(table, table - vtable);
    b.putInt(table + 4, vector - (table + 4));
    b.putInt(vector, count);
    for (int i = 0; i < count; i++) {
      int e = vector + 4 + i * EVENT;
      b.putLong(e, recording.timeUs(from + i));
      b.putShort(e + 8, (short) recording.x(from + i));
      b.putShort(e + 10, (short) recording.y(from + i));
      b.put(e + 12, (byte) recording.polarity(from + i));
    }
    byte[] prefix = {(byte) size, (byte) (size >> 8), (byte) (size >> 16), (byte) (size >> 24)};
    out.writeBytes(prefix);
    out.writeBytes(b.array());
    return out.toByteArray();
  }
}
