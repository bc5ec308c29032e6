package io.spillway.reservoir.events;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/// The file formats that hold one recording each.
public enum EventFormat {
  /// N-MNIST and N-Caltech101: five bytes an event.
  NMNIST("nmnist", ".bin"),
  /// AEDAT 2.0 of jAER, with DVS128 addresses.
  AEDAT2("aedat2", ".aedat"),
  /// AEDAT 3.1 of cAER: packets of polarity events.
  AEDAT3("aedat3.1", ".aedat"),
  /// AEDAT 4 of DV: flatbuffer packets, LZ4 frames.
  AEDAT4("aedat4", ".aedat4"),
  /// Prophesee's DAT with two-dimensional events, as N-CARS has it.
  NCARS("ncars", ".dat"),
  /// Spikes of N-TIDIGITS as five bytes: channel and time.
  BS1("bs1", ".bs1");

  private final String label;
  private final String suffix;

  EventFormat(String label, String suffix) {
    this.label = label;
    this.suffix = suffix;
  }

  /// The name that commands use.
  public String label() {
    return label;
  }

  /// The usual end of the file's name.
  public String suffix() {
    return suffix;
  }

  /// The format of that name.
  public static EventFormat named(String name) {
    for (EventFormat format : values()) {
      if (format.label.equals(name.toLowerCase(Locale.ROOT))) {
        return format;
      }
    }
    throw SpillwayException.badInput(
        "unknown event format '%s', %s",
        name, Nearest.hint(name, Arrays.stream(values()).map(EventFormat::label).toList()));
  }

  /// The format that a name's end and the first bytes tell.
  static EventFormat detect(Path file, ByteSource in) {
    String name = file.getFileName() == null ? "" : file.getFileName().toString();
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".aedat4")) {
      return AEDAT4;
    }
    if (lower.endsWith(".aedat")) {
      return AEDAT2; // the first header line tells version 2 from 3
    }
    if (lower.endsWith(".dat")) {
      return NCARS;
    }
    if (lower.endsWith(".bs1")) {
      return BS1;
    }
    if (lower.endsWith(".bin")) {
      return NMNIST;
    }
    throw SpillwayException.badInput(
        "%s: no event format is known by this name; .bin, .aedat, .aedat4, .dat and .bs1 hold one"
            + " recording, .h5 and .hdf5 a set",
        file);
  }
}
