package io.spillway.planner.memory;

import io.spillway.platform.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Kernel ridge regression of the logarithm of measured over analytic memory. Far from everything
/// that was measured the factor returns to 1.
///
/// **Shapes:** `centres` [points, features], `weights` [points].
public record KernelCorrection(
    List<List<Double>> centres, List<Double> weights, List<Double> scales)
    implements MemoryCorrection {
  /// The largest change of memory that is believed, as a logarithm.
  static final double BOUND = 0.6;

  public static final double NOISE = 0.05;

  /// Distances at which two configurations tell half as much about each other.
  public static final double[] SCALES = {1.5, 1.5, 2, 1.5, 0.7, 0.7};

  /// What was learned from the published measurements on GH200 and RTX 3090.
  public static MemoryCorrection builtIn() {
    try (InputStream in = KernelCorrection.class.getResourceAsStream("memory-correction.json")) {
      if (in == null) {
        throw new IllegalStateException("memory-correction.json is missing from the jar");
      }
      return Json.parse(
          new String(in.readAllBytes(), StandardCharsets.UTF_8),
          KernelCorrection.class,
          "memory-correction.json");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

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
