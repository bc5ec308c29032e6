package io.spillway.planner.memory;

/// The analytic model alone.
public record NoCorrection() implements MemoryCorrection {
  @Override
  public double factor(double[] features) {
    return 1;
  }
}
