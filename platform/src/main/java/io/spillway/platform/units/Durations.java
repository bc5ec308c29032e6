package io.spillway.platform.units;

import java.util.Locale;

/// Shows seconds the way people read them.
final class Durations {
  private Durations() {}

  static String show(double s) {
    if (s == 0) {
      return "0 s";
    }
    if (s < 1e-6) {
      return number(s * 1e9) + " ns";
    }
    if (s < 1e-3) {
      return number(s * 1e6) + " µs";
    }
    if (s < 1) {
      return number(s * 1e3) + " ms";
    }
    if (s < 120) {
      return number(s) + " s";
    }
    long whole = Math.round(s);
    return whole < 7200
        ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
  }

  private static String number(double value) {
    return value >= 100
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}
