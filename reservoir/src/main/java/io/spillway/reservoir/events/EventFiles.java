package io.spillway.reservoir.events;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import java.io.BufferedOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Reads and writes files of one recording. Reading is a stream: memory does not grow with the
/// file, except in [#read], which keeps what it reads.
///
/// **Errors:** truncated and corrupt files, addresses outside the sensor, unknown polarities and
/// times that run backwards, each with the byte offset.
public final class EventFiles {
  /// The most events that [#read] keeps; a longer recording is streamed instead.
  public static final int LARGEST_IN_MEMORY = 50_000_000;

  private EventFiles() {}

  /// Streams a file into `sink`; the format follows from its name and first bytes.
  ///
  /// @param sensor the address space to hold the file to; empty takes what the file or its format
  ///   says
  /// @return the address space the events were checked against
  public static Sensor stream(Path file, Optional<Sensor> sensor, EventSink sink) {
    try (ByteSource in = ByteSource.open(file)) {
      return stream(EventFormat.detect(file, in), in, sensor, sink);
    }
  }

  /// Streams bytes of a known format, under the name `name` in error messages.
  public static Sensor stream(
      EventFormat format, Path name, InputStream bytes, Optional<Sensor> sensor, EventSink sink) {
    try (ByteSource in = new ByteSource(name, bytes)) {
      return stream(format, in, sensor, sink);
    }
  }

  private static Sensor stream(
      EventFormat format, ByteSource in, Optional<Sensor> sensor, EventSink sink) {
    return switch (format) {
      case NMNIST -> NmnistFormat.read(in, sensor.orElse(Sensor.NMNIST), sink);
      case AEDAT2, AEDAT3 -> AedatText.read(in, sensor, sink);
      case AEDAT4 -> Aedat4Format.read(in, sensor, sink);
      case NCARS -> NcarsFormat.read(in, sensor, sink);
      case BS1 -> Bs1Format.read(in, sensor.orElse(Sensor.NTIDIGITS), sink);
    };
  }

  /// Reads a whole recording.
  ///
  /// **Errors:** as [#stream]; also a recording without events and one of more than
  /// [#LARGEST_IN_MEMORY].
  public static EventRecording read(Path file) {
    return read(file, Optional.empty());
  }

  /// Reads a whole recording of a given sensor.
  public static EventRecording read(Path file, Optional<Sensor> sensor) {
    Collector collector = new Collector(file);
    Sensor known = stream(file, sensor, collector);
    return collector.finish(known);
  }

  /// Reads a whole recording from bytes of a known format.
  public static EventRecording read(
      EventFormat format, Path name, InputStream bytes, Optional<Sensor> sensor) {
    Collector collector = new Collector(name);
    Sensor known = stream(format, name, bytes, sensor, collector);
    return collector.finish(known);
  }

  /// Writes a recording.
  public static void write(Path file, EventFormat format, EventRecording recording) {
    if (recording.size() == 0) {
      throw SpillwayException.badInput("%s: an empty recording is not written", file);
    }
    AtomicFiles.write(
        file,
        temporary -> {
          try (BufferedOutputStream out =
              new BufferedOutputStream(Files.newOutputStream(temporary), 1 << 16)) {
            switch (format) {
              case NMNIST -> NmnistFormat.write(recording, out);
              case AEDAT2 -> AedatText.write2(recording, out);
              case AEDAT3 -> AedatText.write3(recording, out);
              case AEDAT4 -> Aedat4Format.write(recording, out);
              case NCARS -> NcarsFormat.write(recording, out);
              case BS1 -> Bs1Format.write(recording, out);
            }
          }
        });
  }

  /// Keeps what passes; the sensor is known only at the end, so addresses are kept beside it.
  private static final class Collector implements EventSink {
    private final Path name;
    private final EventRecording.Builder events =
        new EventRecording.Builder(new Sensor(1 << 16, 1 << 16, 2));

    Collector(Path name) {
      this.name = name;
    }

    @Override
    public boolean event(long timeUs, int x, int y, int polarity, long offset) {
      if (events.size() == LARGEST_IN_MEMORY) {
        throw SpillwayException.doesNotFit(
            "%s has more than %d events; convert or cut it as a stream first",
            name, LARGEST_IN_MEMORY);
      }
      events.add(timeUs, x, y, polarity);
      return true;
    }

    EventRecording finish(Sensor sensor) {
      if (events.size() == 0) {
        throw SpillwayException.badInput("%s: the recording has no events", name);
      }
      return events.build(sensor);
    }
  }
}
