package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import java.util.List;

/// How far a conductance strays when it is programmed or read, as a standard deviation that may
/// depend on the conductance.
///
/// **Units:** microsiemens.
public sealed interface NoiseLaw {
  /// Standard deviation at conductance `g`.
  double sigma(double g);

  /// No noise.
  record None() implements NoiseLaw {
    @Override
    public double sigma(double g) {
      return 0;
    }
  }

  /// A share of the conductance, for example .02.
  record Multiplicative(double share) implements NoiseLaw {
    public Multiplicative {
      if (!(share >= 0 && share <= 1)) {
        throw SpillwayException.badInput("noise share %s, 0 to 1 is possible", share);
      }
    }

    @Override
    public double sigma(double g) {
      return share * g;
    }
  }

  /// The same at every conductance.
  record Additive(double microsiemens) implements NoiseLaw {
    public Additive {
      if (!(microsiemens >= 0 && microsiemens <= 1e4)) {
        throw SpillwayException.badInput("noise of %s uS, 0 to 10000 is possible", microsiemens);
      }
    }

    @Override
    public double sigma(double g) {
      return microsiemens;
    }
  }

  /// The published fit of RRAM cells by Wan et al. 2022, about 40 µS.
  ///
  /// @param after time since programming
  record Wan2022(After after) implements NoiseLaw {
    /// Times of the fit.
    public enum After {
      SECOND,
      DAY,
      TWO_DAYS
    }

    @Override
    public double sigma(double g) {
      return switch (after) {
        case SECOND -> Polynomial.WAN_2022_SECOND.sigma(g);
        case DAY -> Polynomial.WAN_2022_DAY.sigma(g);
        case TWO_DAYS -> Polynomial.WAN_2022_TWO_DAYS.sigma(g);
      };
    }
  }

  /// A polynomial in `g / reference`, lowest power first, in µS; cells at zero stay at zero noise
  /// only if the constant term says so.
  ///
  /// @param coefficients c0, c1, ... in µS
  /// @param reference conductance that counts as 1, in µS
  record Polynomial(List<Double> coefficients, double reference) implements NoiseLaw {
    /// Wan et al. 2022, one second after programming, about 40 µS.
    public static final Polynomial WAN_2022_SECOND =
        new Polynomial(List.of(.348, 16.030, -43.853, 45.393, -16.815), 40);

    /// The same after one day.
    public static final Polynomial WAN_2022_DAY =
        new Polynomial(List.of(.701, 22.086, -50.773, 47.095, -16.458), 40);

    /// The same after two days.
    public static final Polynomial WAN_2022_TWO_DAYS =
        new Polynomial(List.of(.782, 20.274, -43.507, 37.062, -11.934), 40);

    public Polynomial {
      coefficients = List.copyOf(coefficients);
      if (!(reference > 0)) {
        throw SpillwayException.badInput("reference of %s uS, above 0 is possible", reference);
      }
    }

    @Override
    public double sigma(double g) {
      double u = g / reference;
      double sum = 0;
      for (int i = coefficients.size() - 1; i >= 0; i--) {
        sum = sum * u + coefficients.get(i);
      }
      return Math.max(0, sum);
    }
  }
}
