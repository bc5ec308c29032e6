package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import java.util.random.RandomGenerator;

/// A cell whose state moves by small pulses, with the parameters that users of IBM's analog
/// hardware kit know: mean step, its spread between devices and between pulses, the asymmetry of up
/// and down, the bounds and their spread, and the noise of what is written.
///
/// States are numbers about -1..1. The spread between devices multiplies the mean, the spread
/// between pulses multiplies the device's step.
///
/// @param law how the step depends on the state
/// @param step mean step of one pulse (`dw_min`)
/// @param stepDeviceSpread relative spread between devices (`dw_min_dtod`)
/// @param stepLogNormal whether that spread is log-normal
/// @param stepPulseSpread relative spread between pulses (`dw_min_std`)
/// @param upDown asymmetry: up is `1 + upDown`, down `1 - upDown` (`up_down`)
/// @param upDownSpread its spread between devices (`up_down_dtod`)
/// @param max upper bound (`w_max`)
/// @param maxSpread its relative spread (`w_max_dtod`)
/// @param min lower bound (`w_min`)
/// @param minSpread its relative spread (`w_min_dtod`)
/// @param writeNoise noise of the visible state in steps (`write_noise_std`)
public record PulsedDevice(
    Law law,
    double step,
    double stepDeviceSpread,
    boolean stepLogNormal,
    double stepPulseSpread,
    double upDown,
    double upDownSpread,
    double max,
    double maxSpread,
    double min,
    double minSpread,
    double writeNoise) {
  /// How the step depends on the state.
  public sealed interface Law {
    /// The factor on the step of a cell in state `w` within its own bounds.
    double factor(double w, boolean up, double min, double max);

    /// The same everywhere.
    record Constant() implements Law {
      @Override
      public double factor(double w, boolean up, double min, double max) {
        return 1;
      }
    }

    /// Falls linearly to zero at the bound.
    record SoftBounds() implements Law {
      @Override
      public double factor(double w, boolean up, double min, double max) {
        return up ? 1 - w / max : 1 - w / min;
      }
    }

    /// Falls linearly by `up` or `down` over the range.
    record Linear(double up, double down) implements Law {
      @Override
      public double factor(double w, boolean rising, double min, double max) {
        return Math.max(0, rising ? 1 - up * w / max : 1 - down * w / min);
      }
    }

    /// Falls exponentially towards the bound: `1 - A exp(gamma z)`, `z = 2a w / (max - min) + b`.
    record Exponential(
        double amplitudeUp,
        double amplitudeDown,
        double gammaUp,
        double gammaDown,
        double a,
        double b)
        implements Law {
      @Override
      public double factor(double w, boolean up, double min, double max) {
        double z = 2 * a * w / (max - min) + b;
        double y =
            up
                ? 1 - amplitudeUp * Math.exp(gammaUp * z)
                : 1 - amplitudeDown * Math.exp(-gammaDown * z);
        return Math.max(0, y);
      }
    }
  }

  public PulsedDevice {
    if (!(step > 0) || !(max > 0) || !(min <= 0)) {
      throw SpillwayException.badInput(
          "a pulsed device with step %s and bounds %s..%s; step and upper bound lie above 0, the"
              + " lower bound does not",
          step, min, max);
    }
  }

  /// A device fresh from the fab, in state 0.
  public Cell fabricate(RandomGenerator random) {
    double scale =
        stepLogNormal
            ? Math.exp(
                stepDeviceSpread * random.nextGaussian() - stepDeviceSpread * stepDeviceSpread / 2)
            : 1 + stepDeviceSpread * random.nextGaussian();
    double own = Math.abs(step * scale);
    double asymmetry = upDown + upDownSpread * random.nextGaussian();
    double upper = Math.max(1e-6, max * (1 + maxSpread * random.nextGaussian()));
    double lower = Math.min(-1e-6, min * (1 + minSpread * random.nextGaussian()));
    return new Cell(own * (1 + asymmetry), own * (1 - asymmetry), lower, upper);
  }

  /// One device with its own step, asymmetry and bounds.
  public final class Cell {
    private final double stepUp;
    private final double stepDown;
    private final double lower;
    private final double upper;
    private double state;

    private Cell(double stepUp, double stepDown, double lower, double upper) {
      this.stepUp = stepUp;
      this.stepDown = stepDown;
      this.lower = lower;
      this.upper = upper;
    }

    /// One pulse up or down.
    public void pulse(boolean up, RandomGenerator random) {
      double size = (up ? stepUp : stepDown) * law.factor(state, up, lower, upper);
      double moved = size * (1 + stepPulseSpread * random.nextGaussian());
      state = Math.clamp(state + (up ? moved : -moved), lower, upper);
    }

    /// The state itself.
    public double state() {
      return state;
    }

    public double stepUp() {
      return stepUp;
    }

    public double upper() {
      return upper;
    }

    public double lower() {
      return lower;
    }

    /// What shows of the state: with the noise of writing.
    public double read(RandomGenerator random) {
      return writeNoise == 0
          ? state
          : Math.clamp(state + writeNoise * step * random.nextGaussian(), lower, upper);
    }
  }
}
