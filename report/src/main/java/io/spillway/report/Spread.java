package io.spillway.report;

import java.util.Arrays;
import java.util.Locale;

/// A mean over seeds or folds with its 95 % confidence interval from Student's t.
///
/// @param values the single results
/// @param mean their mean
/// @param halfWidth half the width of the interval
public record Spread(double[] values, double mean, double halfWidth) {
  /// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
  private static final double[] T = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042
  };

  public static Spread of(double... values) {
    double mean = Arrays.stream(values).average().orElse(Double.NaN);
    if (values.length < 2) {
      return new Spread(values, mean, Double.NaN);
    }
    double square = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    double t = values.length - 2 < T.length ? T[values.length - 2] : 1.96;
    double error = Math.sqrt(square / (values.length - 1) / values.length);
    return new Spread(values, mean, t * error);
  }

  /// The 95 % interval of a share after Wilson (1927).
  ///
  /// @param successes may be fractions, where a trial is partly right
  public static double[] wilson(double successes, int trials) {
    double z = 1.959964;
    double p = successes / trials;
    double centre = p + z * z / (2 * trials);
    double spread = z * Math.sqrt(p * (1 - p) / trials + z * z / (4.0 * trials * trials));
    double divisor = 1 + z * z / trials;
    return new double[] {
      Math.max(0, (centre - spread) / divisor), Math.min(1, (centre + spread) / divisor)
    };
  }

  /// As a percentage, for example `93.7 ± 0.8 %`.
  public String percent() {
    return Double.isNaN(halfWidth)
        ? String.format(Locale.ROOT, "%.2f %%", 100 * mean)
        : String.format(Locale.ROOT, "%.2f ± %.2f %%", 100 * mean, 100 * halfWidth);
  }
}
