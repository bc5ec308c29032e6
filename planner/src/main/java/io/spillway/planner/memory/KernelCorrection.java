package io.spillway.planner.memory;

import java.util.List;

/// Kernel ridge regression of the logarithm of measured over analytic memory. Far from everything
/// that was measured the factor returns to 1.
///
/// **Shapes:** `centres` [points, features], `weights` `[points]`.
public record KernelCorrection(
    List<List<Double>> centres, List<Double> weights, List<Double> scales)
    implements MemoryCorrection {
  /// The largest change of memory that is believed, as a logarithm.
  static final double BOUND = 0.6;

  /// Variance of what a row cannot tell, relative to what the kernel explains: a row alone moves
  /// the factor by a third of its residual.
  public static final double NOISE = 0.5;

  /// Residuals beyond it count as much as it: one strange row must not bend its neighbours.
  public static final double ROBUST = 0.05;

  /// Distances at which two configurations tell half as much about each other.
  public static final double[] SCALES = {1.5, 1.5, 2, 1.5, 0.7, 0.7};

  @Override
  public double factor(double[] features) {
    double sum = 0;
    for (int i = 0; i < centres.size(); i++) {
      double distance = 0;
      for (int k = 0; k < features.length; k++) {
        double d = (features[k] - centres.get(i).get(k)) / scales.get(k);
        distance += d * d;
      }
      sum += weights.get(i) * Math.exp(-distance / 2);
    }
    return Math.exp(Math.clamp(sum, -BOUND, BOUND));
  }
}
