package io.spillway.training.config;

import io.spillway.platform.SpillwayException;

/// The learning rate of each step.
///
/// @param peak the highest rate
/// @param warmupSteps steps from `least` up to `peak`
/// @param totalSteps steps after which the rate has come down, 0 when it never does
/// @param least the rate at the begin of the warm-up
/// @param shape how it comes down
/// @param warmUp how it goes up
/// @param end the rate when it has come down
public record LearningRate(
    double peak,
    long warmupSteps,
    long totalSteps,
    double least,
    Shape shape,
    WarmUp warmUp,
    double end) {
  /// How the rate comes down after the warm-up.
  public enum Shape {
    CONSTANT,
    LINEAR,
    COSINE
  }

  /// How the rate goes up. `LOG` is steep at first: the logarithm of the step over that of the
  /// warm-up's length.
  ///
  /// **Source:** `warmup_type` of DeepSpeed's schedulers.
  public enum WarmUp {
    LINEAR,
    LOG
  }

  public LearningRate {
    for (double low : new double[] {least, end}) {
      if (!(peak >= 0) || Double.isInfinite(peak) || !(low >= 0) || low > peak) {
        throw SpillwayException.badInput(
            "learning rates %s (highest) and %s (least): both must be finite, 0 <= least <= highest",
            peak, low);
      }
    }
    if (warmupSteps < 0 || totalSteps < 0) {
      throw SpillwayException.badInput(
          "%d warm-up and %d total steps must not be negative", warmupSteps, totalSteps);
    }
  }

  /// A linear warm-up from the rate at which it also ends.
  public LearningRate(double peak, long warmupSteps, long totalSteps, double least, Shape shape) {
    this(peak, warmupSteps, totalSteps, least, shape, WarmUp.LINEAR, least);
  }

  /// The rate of step `step`, which counts from 0.
  public double at(long step) {
    if (step < warmupSteps) {
      double done =
          switch (warmUp) {
            case LINEAR -> (step + 1.0) / (warmupSteps + 1);
            case LOG -> Math.log(step + 1.0) / Math.log(Math.max(2, warmupSteps));
          };
      return least + (peak - least) * Math.min(1, done);
    }
    if (shape == Shape.CONSTANT || totalSteps <= warmupSteps) {
      return peak;
    }
    double done =
        Math.min(1, (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    double left = shape == Shape.LINEAR ? 1 - done : 0.5 * (1 + Math.cos(Math.PI * done));
    return end + (peak - end) * left;
  }
}
