package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;

/// Whether a neuron's threshold follows its own spikes.
public sealed interface Adaptation {
  /// The threshold stays.
  record None() implements Adaptation {}

  /// Each spike lifts the threshold by `jump`; the lift decays by the factor `decay` a step.
  record Rising(double jump, double decay) implements Adaptation {
    public Rising {
      if (!(jump >= 0) || !(decay >= 0 && decay < 1)) {
        throw SpillwayException.badInput(
            "an adaptation of %s decaying by %s a step; the jump is not negative, the decay lies in"
                + " 0 up to 1",
            jump, decay);
      }
    }
  }
}
