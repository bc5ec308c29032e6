package io.spillway.training.run;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.CRC32C;

/// Scalars in TensorBoard's format, so that the curves of a run can be looked at with tools people
/// have.
///
/// **Source:** TFRecord framing (length, masked CRC-32C, data, masked CRC-32C) around Event
/// messages in protocol-buffer wire format: wall_time = 1, step = 2, file_version = 3, summary = 5
/// with value = 1 { tag = 1, simple_value = 2 }.
public final class EventFile implements AutoCloseable {
  private final OutputStream out;

  /// Begins a file `events.out.tfevents.*` in `folder`.
  public EventFile(Path folder) {
    try {
      Files.createDirectories(folder);
      long now = System.currentTimeMillis() / 1000;
      out =
          Files.newOutputStream(
              folder.resolve(
                  "events.out.tfevents." + now + ".spillway." + ProcessHandle.current().pid()),
              StandardOpenOption.CREATE,
              StandardOpenOption.APPEND);
      ByteBuffer event = buffer(64);
      time(event);
      text(event, 3, "brain.Event:2");
      record(event);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write events in " + folder + ": " + e.getMessage(), e);
    }
  }

  /// Adds the scalars of one step.
  public void write(long step, Map<String, Double> scalars) {
    ByteBuffer summary = buffer(scalars.size() * 96);
    scalars.forEach((tag, value) -> {
      ByteBuffer one = buffer(tag.length() * 3 + 16);
      text(one, 1, tag);
      one.put((byte) (2 << 3 | 5)).putFloat(value.floatValue());
      one.flip();
      summary.put((byte) (1 << 3 | 2));
      varint(summary, one.remaining());
      summary.put(one);
    });
    summary.flip();
    ByteBuffer event = buffer(summary.remaining() + 64);
    time(event);
    event.put((byte) (2 << 3));
    varint(event, step);
    event.put((byte) (5 << 3 | 2));
    varint(event, summary.remaining());
    event.put(summary);
    try {
      record(event);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write events: " + e.getMessage(), e);
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void time(ByteBuffer event) {
    event.put((byte) (1 << 3 | 1)).putDouble(System.currentTimeMillis() / 1e3);
  }

  private static void text(ByteBuffer into, int field, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    into.put((byte) (field << 3 | 2));
    varint(into, bytes.length);
    into.put(bytes);
  }

  private static void varint(ByteBuffer into, long value) {
    long left = value;
    while ((left & ~0x7FL) != 0) {
      into.put((byte) (left & 0x7F | 0x80));
      left >>>= 7;
    }
    into.put((byte) left);
  }

  private void record(ByteBuffer event) throws IOException {
    event.flip();
    byte[] data = new byte[event.remaining()];
    event.get(data);
    ByteBuffer length = buffer(8).putLong(0, data.length);
    ByteBuffer framed = buffer(data.length + 16);
    framed.put(length.array()).putInt(masked(length.array())).put(data).putInt(masked(data));
    out.write(framed.array());
    out.flush();
  }

  static int masked(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data);
    int value = (int) crc.getValue();
    return (value >>> 15 | value << 17) + 0xa282ead8;
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close the event file: " + e.getMessage(), e);
    }
  }
}
