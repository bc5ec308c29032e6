package io.spillway.planner.memory;

/// A factor on the analytic memory, learned from measured peaks.
public sealed interface MemoryCorrection permits NoCorrection, KernelCorrection, MlpCorrection {
  /// The factor for a configuration's features.
  double factor(double[] features);
}
