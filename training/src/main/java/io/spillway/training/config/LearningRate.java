package io.spillway.training.config;

import io.spillway.platform.SpillwayException;

/// The learning rate of each step.
///
/// @param peak the highest rate
/// @param warmupSteps steps from `least` up to `peak`, linear
/// @param totalSteps steps after which the rate has come down, 0 when it never does
/// @param least the rate at the begin of the warm-up and at the end
/// @param shape how it comes down
public record LearningRate(
    double peak, long warmupSteps, long totalSteps, double least, Shape shape) {
  /// How the rate comes down after the warm-up.
  public enum Shape {
    CONSTANT,
    LINEAR,
    COSINE
  }

  public LearningRate {
    if (!(peak >= 0) || Double.isInfinite(peak) || !(least >= 0) || least > peak) {
      throw SpillwayException.badInput(
          "learning rates %s (highest) and %s (least): both must be finite, 0 <= least <= highest",
          peak, least);
    }
    if (warmupSteps < 0 || totalSteps < 0) {
      throw SpillwayException.badInput(
          "%d warm-up and %d total steps must not be negative", warmupSteps, totalSteps);
    }
  }

  /// The rate of step `step`, which counts from 0.
  public double at(long step) {
    if (step < warmupSteps) {
      return least + (peak - least) * (step + 1) / (warmupSteps + 1);
    }
    if (shape == Shape.CONSTANT || totalSteps <= warmupSteps) {
      return peak;
    }
    double done =
        Math.min(1, (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    double left = shape == Shape.LINEAR ? 1 - done : 0.5 * (1 + Math.cos(Math.PI * done));
    return least + (peak - least) * left;
  }
}
