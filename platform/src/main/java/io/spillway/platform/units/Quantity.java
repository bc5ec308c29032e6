package io.spillway.platform.units;

import io.spillway.platform.SpillwayException;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads and shows numbers with a unit suffix; shared by all unit types.
final class Quantity {
  private static final Pattern FORM =
      Pattern.compile("\\s*([-+]?[0-9]*\\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\\s*([A-Za-zµμ/]*)\\s*");
  private static final String[] DECIMAL = {"", "k", "M", "G", "T", "P", "E"};
  private static final String[] BINARY = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

  private Quantity() {}

  /// The value in base units of text such as `80 GiB`.
  static double parse(String text, String what, Map<String, Double> scaleByUnit) {
    Matcher m = FORM.matcher(text);
    if (!m.matches() || !scaleByUnit.containsKey(m.group(2))) {
      throw SpillwayException.badInput(
          "'%s' is no %s, write a number and one of %s",
          text,
          what,
          String.join(", ", scaleByUnit.keySet().stream().filter(u -> !u.isEmpty()).toList()));
    }
    // decimal arithmetic, so that 5 us is the double nearest to 5e-6
    return new BigDecimal(m.group(1))
        .multiply(BigDecimal.valueOf(scaleByUnit.get(m.group(2))))
        .doubleValue();
  }

  /// Three significant digits with a decimal prefix, such as `19.8 GB/s`.
  static String decimal(double value, String unit) {
    return show(value, unit, 1000, DECIMAL);
  }

  /// Three significant digits with a binary prefix, such as `80 GiB`.
  static String binary(double value, String unit) {
    return show(value, unit, 1024, BINARY);
  }

  private static String show(double value, String unit, double base, String[] prefixes) {
    double shown = value;
    int i = 0;
    while (Math.abs(shown) >= base * 0.9995 && i < prefixes.length - 1) {
      shown /= base;
      i++;
    }
    String digits =
        Math.abs(shown) >= 100
            ? String.format(Locale.ROOT, "%.0f", shown)
            : String.format(Locale.ROOT, "%.3g", shown);
    if (digits.contains(".")) {
      digits = digits.replaceAll("0+$", "").replaceAll("\\.$", "");
    }
    return digits + " " + prefixes[i] + unit;
  }

  static double requireNonNegative(double value, String what) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw SpillwayException.badInput("%s is %s, it must be finite and not negative", what, value);
    }
    return value;
  }
}
