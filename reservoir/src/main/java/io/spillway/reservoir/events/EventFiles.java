package io.spillway.reservoir.events;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
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
            begin(format, recording.sensor(), out);
            events(format, recording, out);
          }
        });
  }

  private static void begin(EventFormat format, Sensor sensor, OutputStream out)
      throws IOException {
    switch (format) {
      case NMNIST -> NmnistFormat.begin(sensor);
      case AEDAT2 -> AedatText.begin2(sensor, out);
      case AEDAT3 -> AedatText.begin3(out);
      case AEDAT4 -> Aedat4Format.begin(sensor, out);
      case NCARS -> NcarsFormat.begin(sensor, out);
      case BS1 -> Bs1Format.begin(sensor);
    }
  }

  private static void events(EventFormat format, EventRecording some, OutputStream out)
      throws IOException {
    switch (format) {
      case NMNIST -> NmnistFormat.write(some, out);
      case AEDAT2 -> AedatText.write2(some, out);
      case AEDAT3 -> AedatText.write3(some, out);
      case AEDAT4 -> Aedat4Format.write(some, out);
      case NCARS -> NcarsFormat.write(some, out);
      case BS1 -> Bs1Format.write(some, out);
    }
  }

  /// What a file holds.
  ///
  /// @param sensor address space that its events were checked against
  /// @param events how many
  /// @param firstUs time of the first
  /// @param lastUs time of the last
  public record Summary(Sensor sensor, long events, long firstUs, long lastUs) {}

  /// Reads a file through, checking every event, and keeps nothing.
  ///
  /// **Errors:** as [#stream]; also a recording without events.
  public static Summary check(Path file) {
    long[] seen = new long[3];
    Sensor sensor =
        stream(
            file,
            Optional.empty(),
            (timeUs, _, _, _, _) -> {
              seen[1] = seen[0]++ == 0 ? timeUs : seen[1];
              seen[2] = timeUs;
              return true;
            });
    if (seen[0] == 0) {
      throw SpillwayException.badInput("%s: the recording has no events", file);
    }
    return new Summary(sensor, seen[0], seen[1], seen[2]);
  }

  /// Converts a file of any length in bounded memory: it is checked through first, then written in
  /// pieces of 8,192 events.
  ///
  /// @param fromZero moves times so that the first event lies at 0
  public static Summary convert(Path from, Path to, EventFormat format, boolean fromZero) {
    Summary summary = check(from);
    long shift = fromZero ? summary.firstUs() : 0;
    AtomicFiles.write(
        to,
        temporary -> {
          try (BufferedOutputStream out =
              new BufferedOutputStream(Files.newOutputStream(temporary), 1 << 16)) {
            begin(format, summary.sensor(), out);
            Pieces pieces = new Pieces(format, summary.sensor(), shift, out);
            stream(from, Optional.of(summary.sensor()), pieces);
            pieces.flush();
          }
        });
    return new Summary(
        summary.sensor(), summary.events(), summary.firstUs() - shift, summary.lastUs() - shift);
  }

  /// Writes what passes, piece by piece.
  private static final class Pieces implements EventSink {
    private static final int PIECE = 8192;

    private final EventFormat format;
    private final Sensor sensor;
    private final long shift;
    private final OutputStream out;
    private EventRecording.Builder piece;

    Pieces(EventFormat format, Sensor sensor, long shift, OutputStream out) {
      this.format = format;
      this.sensor = sensor;
      this.shift = shift;
      this.out = out;
      this.piece = new EventRecording.Builder(sensor);
    }

    @Override
    public boolean event(long timeUs, int x, int y, int polarity, long offset) {
      piece.add(timeUs - shift, x, y, polarity);
      if (piece.size() == PIECE) {
        flush();
      }
      return true;
    }

    void flush() {
      try {
        events(format, piece.build(), out);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write: " + e.getMessage(), e);
      }
      piece = new EventRecording.Builder(sensor);
    }
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
            "%s has more than %d events, more than are kept in memory; cut it first",
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
