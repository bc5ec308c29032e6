package io.spillway.platform.units;

import io.spillway.platform.SpillwayException;
import java.util.LinkedHashMap;
import java.util.Map;

/// An amount of memory or data.
///
/// @param bytes the exact count
public record Bytes(long bytes) implements Comparable<Bytes> {
  private static final Map<String, Double> UNITS = new LinkedHashMap<>();

  static {
    UNITS.put("", 1.0);
    UNITS.put("B", 1.0);
    UNITS.put("kB", 1e3);
    UNITS.put("MB", 1e6);
    UNITS.put("GB", 1e9);
    UNITS.put("TB", 1e12);
    UNITS.put("KiB", 1024.0);
    UNITS.put("MiB", 1048576.0);
    UNITS.put("GiB", 1073741824.0);
    UNITS.put("TiB", 1099511627776.0);
  }

  public Bytes {
    if (bytes < 0) {
      throw SpillwayException.badInput("an amount of %d bytes, it must not be negative", bytes);
    }
  }

  /// Reads text such as `80 GiB` or a plain number of bytes.
  public static Bytes parse(String text) {
    return new Bytes(Math.round(Quantity.parse(text, "amount of memory", UNITS)));
  }

  public static Bytes ofGiB(double gib) {
    return new Bytes(Math.round(gib * (1L << 30)));
  }

  public double gib() {
    return bytes / (double) (1L << 30);
  }

  @Override
  public int compareTo(Bytes other) {
    return Long.compare(bytes, other.bytes);
  }

  @Override
  public String toString() {
    return Quantity.binary(bytes, "B");
  }
}
