package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;

/// Which cells of the crossbars are formed.
public sealed interface Wiring {
  /// Every input reaches every neuron and every neuron every other, as the array leaves the fab.
  record Dense() implements Wiring {}

  /// Neurons lie on a grid over the inputs; only what is near is connected.
  ///
  /// @param inputRadius half the side of a neuron's field of inputs, in inputs
  /// @param recurrentRadius largest distance of connected neurons, in inputs
  /// @param recurrentDensity share of the cells within that distance that are formed
  record Local(double inputRadius, double recurrentRadius, double recurrentDensity)
      implements Wiring {
    public Local {
      if (!(inputRadius >= 0) || !(recurrentRadius >= 0)) {
        throw SpillwayException.badInput(
            "radii of %s and %s inputs cannot be negative", inputRadius, recurrentRadius);
      }
      if (!(recurrentDensity >= 0 && recurrentDensity <= 1)) {
        throw SpillwayException.badInput("a density of %s, 0 to 1 is possible", recurrentDensity);
      }
    }
  }

  /// Neurons lie on a grid over the inputs, as in [Local]; the chance that two of them are
  /// connected falls with their distance `d` as `strength * exp(-(d / length)^2)`.
  ///
  /// **Source:** the rule of Maass, Natschläger and Markram 2002.
  ///
  /// @param inputRadius half the side of a neuron's field of inputs, in inputs
  /// @param length distance over which the chance falls to 1/e, in inputs
  /// @param strength chance at distance 0
  record Distance(double inputRadius, double length, double strength) implements Wiring {
    public Distance {
      if (!(inputRadius >= 0) || !(length > 0)) {
        throw SpillwayException.badInput(
            "a radius of %s and a length of %s inputs; the radius is not negative, the length above"
                + " 0",
            inputRadius, length);
      }
      if (!(strength >= 0 && strength <= 1)) {
        throw SpillwayException.badInput("a strength of %s, 0 to 1 is possible", strength);
      }
    }
  }
}
