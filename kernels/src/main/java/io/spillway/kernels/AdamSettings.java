package io.spillway.kernels;

import io.spillway.platform.SpillwayException;

/// The hyperparameters of Adam that stay the same through a run.
///
/// @param beta1 decay of the momentum, in [0, 1)
/// @param beta2 decay of the variance, in [0, 1)
/// @param epsilon added to the root of the variance, positive
/// @param weightDecay strength of the decay, at least 0
/// @param decoupled whether the decay acts on the weight (AdamW) or through the gradient (Adam)
public record AdamSettings(
    double beta1, double beta2, double epsilon, double weightDecay, boolean decoupled) {
  public AdamSettings {
    requireUnit("beta1", beta1);
    requireUnit("beta2", beta2);
    if (!(epsilon > 0) || (float) epsilon == 0 || Double.isInfinite(epsilon)) {
      throw SpillwayException.badInput(
          "epsilon is %s, it must be at least %s", epsilon, Float.MIN_VALUE);
    }
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw SpillwayException.badInput(
          "weight decay is %s, it must be finite and not negative", weightDecay);
    }
  }

  /// AdamW with the usual constants: 0.9, 0.999, 1e-8 and a decay of 0.01.
  public static AdamSettings adamW() {
    return new AdamSettings(0.9, 0.999, 1e-8, 0.01, true);
  }

  private static void requireUnit(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw SpillwayException.badInput("%s is %s, it must be in [0, 1)", name, value);
    }
  }
}
