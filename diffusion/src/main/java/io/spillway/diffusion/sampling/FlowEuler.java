package io.spillway.diffusion.sampling;

import io.spillway.platform.SpillwayException;
import org.bytedeco.pytorch.Tensor;

/// Euler steps of a rectified flow: the network answers with the velocity, x' = x + (s' - s) v, and
/// its time is 1000 s. A shift above 1 spends more of the steps on noisy images: s <- shift s / (1
/// + (shift - 1) s).
///
/// **Source:** Esser et al., "Scaling Rectified Flow Transformers", section 5.3.2.
public record FlowEuler(double shift) implements Sampler {
  public FlowEuler {
    if (!(shift > 0)) {
      throw SpillwayException.badInput("flow shift %s must be positive", shift);
    }
  }

  @Override
  public String name() {
    return "flow-euler";
  }

  /// The sigmas from 1 down, with a last 0.
  double[] sigmas(int steps) {
    if (steps < 1 || steps > 1000) {
      throw SpillwayException.badInput("%d steps: between 1 and 1000 are possible", steps);
    }
    double[] sigmas = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      double s = steps == 1 ? 1 : 1 + (0.001 - 1) * i / (steps - 1);
      sigmas[i] = shift * s / (1 + (shift - 1) * s);
    }
    return sigmas;
  }

  @Override
  public Run begin(int steps) {
    double[] sigmas = sigmas(steps);
    return new Run() {
      @Override
      public int steps() {
        return steps;
      }

      @Override
      public double time(int i) {
        return 1000 * sigmas[i];
      }

      @Override
      public double initialDeviation() {
        return 1;
      }

      @Override
      public Tensor input(Tensor x, int i) {
        return x;
      }

      @Override
      public Tensor step(Tensor x, Tensor velocity, int i) {
        return Sampler.blend(1, x, sigmas[i + 1] - sigmas[i], velocity);
      }
    };
  }
}
