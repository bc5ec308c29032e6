package io.spillway.training.config;

import io.spillway.platform.SpillwayException;

/// How binary16 gradients are kept from vanishing: the loss is multiplied by a scale, which halves
/// when a gradient overflows and doubles after `window` good steps.
///
/// @param initial the first scale
/// @param window good steps before the scale doubles, 0 for a scale that stays
public record LossScaling(double initial, int window) {
  public LossScaling {
    if (!(initial > 0) || Double.isInfinite(initial) || window < 0) {
      throw SpillwayException.badInput(
          "loss scale %s with window %d: a positive scale and a window of at least 0 are needed",
          initial, window);
    }
  }

  /// No scaling, for bf16 and fp32.
  public static LossScaling none() {
    return new LossScaling(1, 0);
  }
}
