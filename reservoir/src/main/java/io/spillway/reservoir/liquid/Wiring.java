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
}
