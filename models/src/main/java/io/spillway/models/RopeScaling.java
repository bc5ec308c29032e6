package io.spillway.models;

import java.util.List;

/// How a model stretches its rotary frequencies past the length it was first trained for.
///
/// **Source:** the `rope_scaling` entry of Hugging Face's `config.json`.
public sealed interface RopeScaling {
  /// Frequencies as they are.
  record None() implements RopeScaling {}

  /// Position interpolation: every frequency divided by `factor`.
  record Linear(double factor) implements RopeScaling {
    public Linear {
      positive("factor", factor);
    }
  }

  /// Llama 3.1: long wavelengths are divided by `factor`, short ones stay, those between blend.
  ///
  /// @param factor the division of long wavelengths
  /// @param lowFrequencyFactor wavelengths above `originalPositions / this` are long
  /// @param highFrequencyFactor wavelengths below `originalPositions / this` are short
  /// @param originalPositions tokens of the first training
  record Llama3(
      double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalPositions)
      implements RopeScaling {
    public Llama3 {
      positive("factor", factor);
      positive("low_freq_factor", lowFrequencyFactor);
      positive("high_freq_factor", highFrequencyFactor);
      if (highFrequencyFactor <= lowFrequencyFactor) {
        throw new IllegalArgumentException(
            "high_freq_factor "
                + highFrequencyFactor
                + " must exceed low_freq_factor "
                + lowFrequencyFactor);
      }
    }
  }

  /// Phi-3's LongRoPE: one divisor per frequency, another set for prompts beyond the first training
  /// length, and a common scale of queries and keys.
  ///
  /// @param shortFactors divisors up to `originalPositions` tokens, `[rotaryDim / 2]`
  /// @param longFactors divisors beyond, `[rotaryDim / 2]`
  /// @param originalPositions tokens of the first training
  record LongRope(List<Double> shortFactors, List<Double> longFactors, int originalPositions)
      implements RopeScaling {
    public LongRope {
      shortFactors = List.copyOf(shortFactors);
      longFactors = List.copyOf(longFactors);
      if (shortFactors.size() != longFactors.size()) {
        throw new IllegalArgumentException(
            shortFactors.size()
                + " short factors and "
                + longFactors.size()
                + " long factors, they must be as many");
      }
    }
  }

  private static void positive(String name, double value) {
    if (!(value > 0)) {
      throw new IllegalArgumentException(name + " is " + value + ", it must be positive");
    }
  }
}
