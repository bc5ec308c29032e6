package io.spillway.platform.units;

import java.util.LinkedHashMap;
import java.util.Map;

/// A clock rate.
///
/// @param hertz the value in base units
public record Hertz(double hertz) implements Comparable<Hertz> {
  private static final Map<String, Double> UNITS = new LinkedHashMap<>();

  static {
    UNITS.put("Hz", 1e0);
    UNITS.put("kHz", 1e3);
    UNITS.put("MHz", 1e6);
    UNITS.put("GHz", 1e9);
    UNITS.put("THz", 1e12);
  }

  public Hertz {
    Quantity.requireNonNegative(hertz, "clock rate");
  }

  /// Reads text such as `4 GHz`.
  public static Hertz parse(String text) {
    return new Hertz(Quantity.parse(text, "clock rate", UNITS));
  }

  @Override
  public int compareTo(Hertz other) {
    return Double.compare(hertz, other.hertz);
  }

  @Override
  public String toString() {
    return Quantity.decimal(hertz, "Hz");
  }
}
