package io.spillway.planner.cost;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;

/// The few global figures of the cost model that no data sheet gives. The built-in ones were fitted
/// to measured iterations; `docs/results/planner.md` tells how and how well.
///
/// @param gemmEfficiency share of the matrix rate that a large layer reaches
/// @param scorePasses times that the attention scores travel to or from memory in a forward pass,
///   where attention is not fused
/// @param layerSeconds time of one layer's forward pass that does not shrink with its size
/// @param insideEfficiency share of the link rate that collectives within a node reach
/// @param outsideEfficiency share that tensor-parallel collectives across nodes reach
/// @param reduceEfficiency share that the reduction of gradients across nodes reaches
/// @param origin where the figures come from
public record Calibration(
    double gemmEfficiency,
    double scorePasses,
    double layerSeconds,
    double insideEfficiency,
    double outsideEfficiency,
    double reduceEfficiency,
    @Default("stated by the user") String origin) {
  public Calibration {
    positive("gemm_efficiency", gemmEfficiency);
    positive("inside_efficiency", insideEfficiency);
    positive("outside_efficiency", outsideEfficiency);
    positive("reduce_efficiency", reduceEfficiency);
    notNegative("score_passes", scorePasses);
    notNegative("layer_seconds", layerSeconds);
  }

  /// What large clusters of A100 showed.
  public static Calibration builtIn() {
    return new Calibration(0.811, 7.95, 0.389e-3, 0.822, 0.933, 0.724, "built in");
  }

  /// The figures as a vector, for fitting.
  public double[] toVector() {
    return new double[] {
      gemmEfficiency,
      scorePasses,
      layerSeconds,
      insideEfficiency,
      outsideEfficiency,
      reduceEfficiency
    };
  }

  public static Calibration ofVector(double[] v, String origin) {
    return new Calibration(v[0], v[1], v[2], v[3], v[4], v[5], origin);
  }

  private static void positive(String what, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw SpillwayException.badInput("%s is %s, it must be above 0", what, value);
    }
  }

  private static void notNegative(String what, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw SpillwayException.badInput("%s is %s, it must not be negative", what, value);
    }
  }
}
