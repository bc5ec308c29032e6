package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import java.util.random.RandomGenerator;

/// How conductances are distributed when an array leaves the fab or its forming step.
///
/// **Units:** microsiemens.
public sealed interface Fabricated {
  /// Draws the conductance of the next cell.
  double draw(RandomGenerator random);

  /// Mean of the distribution.
  double mean();

  /// Standard deviation of the distribution, cells that never formed included.
  double sigma();

  /// A Gaussian; draws below zero become zero.
  record Gaussian(double mean, double sigma) implements Fabricated {
    public Gaussian {
      positive("mean", mean);
      positive("sigma", sigma);
    }

    @Override
    public double draw(RandomGenerator random) {
      return Math.max(0, random.nextGaussian(mean, sigma));
    }
  }

  /// A log-normal: the logarithm of G is Gaussian about `ln median` with `logSigma`.
  record LogNormal(double median, double logSigma) implements Fabricated {
    public LogNormal {
      positive("median", median);
      positive("log_sigma", logSigma);
    }

    @Override
    public double draw(RandomGenerator random) {
      return median * Math.exp(random.nextGaussian() * logSigma);
    }

    @Override
    public double mean() {
      return median * Math.exp(logSigma * logSigma / 2);
    }

    @Override
    public double sigma() {
      return mean() * Math.sqrt(Math.expm1(logSigma * logSigma));
    }
  }

  /// Formed cells beside cells that never formed and conduct nothing.
  ///
  /// @param formed share of formed cells
  /// @param formedMean mean of the formed cells
  /// @param formedSigma standard deviation of the formed cells
  record Bimodal(double formed, double formedMean, double formedSigma) implements Fabricated {
    public Bimodal {
      if (!(formed > 0 && formed <= 1)) {
        throw SpillwayException.badInput("formed is %s, above 0 up to 1 is possible", formed);
      }
      positive("formed_mean", formedMean);
      positive("formed_sigma", formedSigma);
    }

    @Override
    public double draw(RandomGenerator random) {
      return random.nextDouble() < formed
          ? Math.max(0, random.nextGaussian(formedMean, formedSigma))
          : 0;
    }

    @Override
    public double mean() {
      return formed * formedMean;
    }

    @Override
    public double sigma() {
      double square = formed * (formedMean * formedMean + formedSigma * formedSigma);
      return Math.sqrt(square - mean() * mean());
    }
  }

  /// Cells drawn, with replacement, from a measured array.
  record Measured(ConductanceMap map) implements Fabricated {
    @Override
    public double draw(RandomGenerator random) {
      return map.cell(random.nextInt(map.size()));
    }

    @Override
    public double mean() {
      return map.mean();
    }

    @Override
    public double sigma() {
      return map.sigma();
    }
  }

  /// Pulsed devices after a train of random pulses up and down, as a simulator of analog training
  /// describes them; the state of -1..1 lies on `0..gMax`.
  ///
  /// @param device the step model
  /// @param pulses length of the train
  /// @param gMax conductance of state 1, in µS
  /// @param mean mean in µS, from the model's definition or measured once
  /// @param sigma standard deviation in µS
  record Pulsed(PulsedDevice device, int pulses, double gMax, double mean, double sigma)
      implements Fabricated {
    /// Measures mean and spread on 4,000 cells of a fixed seed.
    public static Pulsed of(PulsedDevice device, int pulses, double gMax) {
      RandomGenerator random = new io.spillway.platform.Seeds(7).stream("pulsed-statistics");
      double sum = 0;
      double square = 0;
      int cells = 4000;
      for (int i = 0; i < cells; i++) {
        double g = cell(device, pulses, gMax, random);
        sum += g;
        square += g * g;
      }
      double mean = sum / cells;
      return new Pulsed(device, pulses, gMax, mean, Math.sqrt(square / cells - mean * mean));
    }

    private static double cell(
        PulsedDevice device, int pulses, double gMax, RandomGenerator random) {
      PulsedDevice.Cell cell = device.fabricate(random);
      for (int i = 0; i < pulses; i++) {
        cell.pulse(random.nextBoolean(), random);
      }
      return Math.max(0, (cell.read(random) + 1) / 2 * gMax);
    }

    @Override
    public double draw(RandomGenerator random) {
      return cell(device, pulses, gMax, random);
    }
  }

  private static void positive(String name, double value) {
    if (!(value > 0) || value > 1e6) {
      throw SpillwayException.badInput("%s is %s uS, above 0 up to 1e6 is possible", name, value);
    }
  }
}
