package io.spillway.platform.units;

import java.util.LinkedHashMap;
import java.util.Map;

/// A rate of data.
///
/// @param bytesPerSecond the value in base units
public record BytesPerSecond(double bytesPerSecond) implements Comparable<BytesPerSecond> {
  private static final Map<String, Double> UNITS = new LinkedHashMap<>();

  static {
    UNITS.put("B/s", 1e0);
    UNITS.put("kB/s", 1e3);
    UNITS.put("MB/s", 1e6);
    UNITS.put("GB/s", 1e9);
    UNITS.put("TB/s", 1e12);
    UNITS.put("KiB/s", 1024.0);
    UNITS.put("MiB/s", 1048576.0);
    UNITS.put("GiB/s", 1073741824.0);
    UNITS.put("bit/s", 0.125);
    UNITS.put("Mbit/s", 0.125e6);
    UNITS.put("Gbit/s", 0.125e9);
  }

  public BytesPerSecond {
    Quantity.requireNonNegative(bytesPerSecond, "data rate");
  }

  /// Reads text such as `25 GB/s`.
  public static BytesPerSecond parse(String text) {
    return new BytesPerSecond(Quantity.parse(text, "data rate", UNITS));
  }

  @Override
  public int compareTo(BytesPerSecond other) {
    return Double.compare(bytesPerSecond, other.bytesPerSecond);
  }

  @Override
  public String toString() {
    return Quantity.decimal(bytesPerSecond, "B/s");
  }
}
