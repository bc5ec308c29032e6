package io.spillway.platform.units;

import java.util.LinkedHashMap;
import java.util.Map;

/// A rate of floating-point operations.
///
/// @param flopsPerSecond the value in base units
public record FlopsPerSecond(double flopsPerSecond) implements Comparable<FlopsPerSecond> {
  private static final Map<String, Double> UNITS = new LinkedHashMap<>();

  static {
    UNITS.put("FLOP/s", 1e0);
    UNITS.put("GFLOP/s", 1e9);
    UNITS.put("TFLOP/s", 1e12);
    UNITS.put("PFLOP/s", 1e15);
    UNITS.put("GFLOPS", 1e9);
    UNITS.put("TFLOPS", 1e12);
  }

  public FlopsPerSecond {
    Quantity.requireNonNegative(flopsPerSecond, "FLOP rate");
  }

  /// Reads text such as `312 TFLOP/s`.
  public static FlopsPerSecond parse(String text) {
    return new FlopsPerSecond(Quantity.parse(text, "FLOP rate", UNITS));
  }

  @Override
  public int compareTo(FlopsPerSecond other) {
    return Double.compare(flopsPerSecond, other.flopsPerSecond);
  }

  @Override
  public String toString() {
    return Quantity.decimal(flopsPerSecond, "FLOP/s");
  }
}
