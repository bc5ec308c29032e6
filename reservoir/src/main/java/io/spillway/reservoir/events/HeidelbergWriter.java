package io.spillway.reservoir.events;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;

/// Writes the layout of Spiking Heidelberg Digits: `spikes/times` and `spikes/units` with one
/// ragged row a recording, and `labels`.
///
/// The library that reads HDF5 here cannot write ragged rows, so the few structures that they need
/// are written by hand: a superblock of version 2, object headers of version 2, and one heap
/// collection a recording. Recordings are written one after the other; only two references each
/// stay in memory.
///
/// **Source:** the published HDF5 file format specification, version 3.
final class HeidelbergWriter {
  private static final int SUPERBLOCK = 48;
  private static final int SMALLEST_HEAP = 4096;
  private static final int REFERENCE = 16;
  private static final long UNDEFINED = -1;
  private static final int LINK_INFO = 2;
  private static final int DATASPACE = 1;
  private static final int DATATYPE = 3;
  private static final int FILL = 5;
  private static final int LINK = 6;
  private static final int LAYOUT = 8;
  private static final int GROUP_INFO = 10;

  private final FileChannel out;
  private long end = SUPERBLOCK;

  private HeidelbergWriter(FileChannel out) {
    this.out = out;
  }

  /// Writes recordings of sound.
  ///
  /// @param labels class of each recording, 0 to 65535
  static void write(Path path, int[] labels, IntFunction<EventRecording> each) {
    AtomicFiles.write(
        path,
        temporary -> {
          try (FileChannel out =
              FileChannel.open(
                  temporary,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE,
                  StandardOpenOption.TRUNCATE_EXISTING)) {
            new HeidelbergWriter(out).all(labels, each);
          }
        });
  }

  private void all(int[] labels, IntFunction<EventRecording> each) throws IOException {
    int n = labels.length;
    ByteBuffer times = little(n * REFERENCE);
    ByteBuffer units = little(n * REFERENCE);
    ByteBuffer classes = little(n * 2);
    for (int i = 0; i < n; i++) {
      EventRecording recording = each.apply(i);
      if (recording.sensor().height() != 1 || recording.sensor().width() > Sensor.SHD.width()) {
        throw SpillwayException.badInput(
            "recording %d is of %d x %d, the layout of SHD holds 1 to 700 channels",
            i, recording.sensor().width(), recording.sensor().height());
      }
      long heap = heap(recording);
      times.putInt(recording.size()).putLong(heap).putInt(1);
      units.putInt(recording.size()).putLong(heap).putInt(2);
      classes.putShort((short) labels[i]);
    }
    byte[] seconds = ragged(real64());
    byte[] channels = ragged(unsigned16());
    Map<String, Long> spikes = new LinkedHashMap<>();
    spikes.put("times", dataset(seconds, times, n));
    spikes.put("units", dataset(channels, units, n));
    Map<String, Long> root = new LinkedHashMap<>();
    root.put("spikes", group(spikes));
    root.put("labels", dataset(unsigned16(), classes, n));
    superblock(group(root));
  }

  /// One collection with the times (object 1, seconds) and channels (object 2) of a recording.
  private long heap(EventRecording recording) throws IOException {
    int n = recording.size();
    int wide = 8 * n;
    int narrow = (2 * n + 7) / 8 * 8;
    int used = 16 + 16 + wide + 16 + narrow;
    int size = Math.max(SMALLEST_HEAP, used + 16);
    ByteBuffer b = little(size);
    b.put("GCOL".getBytes(StandardCharsets.US_ASCII)).putInt(1).putLong(size);
    b.putShort((short) 1).putShort((short) 1).putInt(0).putLong(8L * n);
    for (int i = 0; i < n; i++) {
      b.putDouble(recording.timeUs(i) * 1e-6);
    }
    b.putShort((short) 2).putShort((short) 1).putInt(0).putLong(2L * n);
    for (int i = 0; i < n; i++) {
      b.putShort((short) recording.x(i));
    }
    b.position(used);
    b.putLong(0).putLong(size - used); // object 0: what is free
    return append(b.array());
  }

  private long dataset(byte[] type, ByteBuffer data, int rows) throws IOException {
    long at = append(data.array());
    ByteBuffer messages = little(256);
    message(messages, DATASPACE, little(12).put(new byte[] {2, 1, 0, 1}).putLong(rows).array());
    message(messages, DATATYPE, type);
    message(messages, FILL, new byte[] {2, 2, 2, 0}); // allocated late, no value
    message(
        messages,
        LAYOUT,
        little(18).put((byte) 3).put((byte) 1).putLong(at).putLong(data.capacity()).array());
    return header(messages);
  }

  private long group(Map<String, Long> children) throws IOException {
    ByteBuffer messages = little(512);
    message(
        messages,
        LINK_INFO,
        little(18).putShort((short) 0).putLong(UNDEFINED).putLong(UNDEFINED).array());
    message(messages, GROUP_INFO, new byte[2]);
    for (Map.Entry<String, Long> child : children.entrySet()) {
      byte[] name = child.getKey().getBytes(StandardCharsets.US_ASCII);
      ByteBuffer link = little(3 + name.length + 8);
      link.put((byte) 1).put((byte) 0).put((byte) name.length).put(name).putLong(child.getValue());
      message(messages, LINK, link.array());
    }
    return header(messages);
  }

  private static void message(ByteBuffer messages, int type, byte[] body) {
    messages.put((byte) type).putShort((short) body.length).put((byte) 0).put(body);
  }

  private long header(ByteBuffer messages) throws IOException {
    int size = messages.position();
    ByteBuffer b = little(10 + size + 4);
    b.put("OHDR".getBytes(StandardCharsets.US_ASCII)).put((byte) 2).put((byte) 2).putInt(size);
    b.put(messages.array(), 0, size);
    b.putInt(Lookup3.of(b.array(), 0, 10 + size));
    return append(b.array());
  }

  private void superblock(long root) throws IOException {
    ByteBuffer b = little(SUPERBLOCK);
    b.put((byte) 0x89).put("HDF\r\n".getBytes(StandardCharsets.US_ASCII));
    b.put((byte) 0x1A).put((byte) '\n');
    b.put(new byte[] {2, 8, 8, 0});
    b.putLong(0).putLong(UNDEFINED).putLong(end).putLong(root);
    b.putInt(Lookup3.of(b.array(), 0, SUPERBLOCK - 4));
    put(b.array(), 0);
  }

  /// A ragged sequence of `base`.
  private static byte[] ragged(byte[] base) {
    return little(8 + base.length)
        .put(new byte[] {0x19, 0, 0, 0})
        .putInt(REFERENCE)
        .put(base)
        .array();
  }

  private static byte[] real64() {
    return little(20)
        .put(new byte[] {0x11, 0x20, 63, 0})
        .putInt(8)
        .putShort((short) 0)
        .putShort((short) 64)
        .put(new byte[] {52, 11, 0, 52})
        .putInt(1023)
        .array();
  }

  private static byte[] unsigned16() {
    return little(12)
        .put(new byte[] {0x10, 0, 0, 0})
        .putInt(2)
        .putShort((short) 0)
        .putShort((short) 16)
        .array();
  }

  /// Appends at an address that is a multiple of 8, and says where.
  private long append(byte[] bytes) throws IOException {
    long at = (end + 7) / 8 * 8;
    put(bytes, at);
    end = at + bytes.length;
    return at;
  }

  private void put(byte[] bytes, long at) throws IOException {
    ByteBuffer b = ByteBuffer.wrap(bytes);
    while (b.hasRemaining()) {
      out.write(b, at + b.position());
    }
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
