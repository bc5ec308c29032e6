package io.spillway.platform.units;

import java.util.LinkedHashMap;
import java.util.Map;

/// A duration.
///
/// @param seconds the value in base units
public record Seconds(double seconds) implements Comparable<Seconds> {
  private static final Map<String, Double> UNITS = new LinkedHashMap<>();

  static {
    UNITS.put("s", 1e0);
    UNITS.put("ms", 1e-3);
    UNITS.put("us", 1e-6);
    UNITS.put("µs", 1e-6);
    UNITS.put("μs", 1e-6);
    UNITS.put("ns", 1e-9);
    UNITS.put("ps", 1e-12);
    UNITS.put("min", 60.0);
    UNITS.put("h", 3600.0);
  }

  public Seconds {
    Quantity.requireNonNegative(seconds, "duration");
  }

  /// Reads text such as `5 us`.
  public static Seconds parse(String text) {
    return new Seconds(Quantity.parse(text, "duration", UNITS));
  }

  @Override
  public int compareTo(Seconds other) {
    return Double.compare(seconds, other.seconds);
  }

  @Override
  public String toString() {
    return Durations.show(seconds);
  }
}
