package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import java.util.random.RandomGenerator;

/// How a conductance moves in the time between programming and reading.
///
/// **Units:** microsiemens and seconds.
public sealed interface Drift {
  /// The conductance `seconds` after programming.
  double after(double g, double seconds, double gMax, RandomGenerator random);

  /// Stays where it was put.
  record None() implements Drift {
    @Override
    public double after(double g, double seconds, double gMax, RandomGenerator random) {
      return g;
    }
  }

  /// `g (t/t0)^-nu` with an exponent of each cell's own.
  record PowerLaw(double nu, double nuSigma, double t0) implements Drift {
    public PowerLaw {
      if (!(t0 > 0) || nuSigma < 0) {
        throw SpillwayException.badInput("drift from t0 = %s s, above 0 is possible", t0);
      }
    }

    @Override
    public double after(double g, double seconds, double gMax, RandomGenerator random) {
      double exponent = Math.max(0, random.nextGaussian(nu, nuSigma));
      return seconds <= 0 ? g : g * Math.pow((seconds + t0) / t0, -exponent);
    }
  }

  /// Phase-change memory as IBM's simulator has it: the exponent's mean and spread fall with the
  /// logarithm of the conductance.
  record PhaseChange() implements Drift {
    private static final double T0 = 20;

    @Override
    public double after(double g, double seconds, double gMax, RandomGenerator random) {
      double log = Math.log(Math.max(g / gMax, 1e-7));
      double mean = Math.clamp(-.0155 * log + .0244, .049, .1);
      double sigma = Math.clamp(-.0125 * log - .0059, .008, .045);
      double nu = Math.abs(random.nextGaussian(mean, sigma));
      return seconds <= 0 ? g : g * Math.pow((seconds + T0) / T0, -nu);
    }
  }

  /// A mean shift and a spread that grow with the logarithm of time, whatever the conductance, as
  /// in CMO/HfOx cells.
  record Relaxation(double shiftPerLog, double sigmaPerLog, double sigmaAtOne) implements Drift {
    @Override
    public double after(double g, double seconds, double gMax, RandomGenerator random) {
      if (seconds <= 0) {
        return g;
      }
      double log = Math.log(seconds);
      return g + shiftPerLog * log + random.nextGaussian() * (sigmaPerLog * log + sigmaAtOne);
    }
  }
}
