package io.spillway.diffusion.sampling;

import org.bytedeco.pytorch.Tensor;

/// Euler steps of the probability flow in sigma = sqrt((1-a)/a): the network sees x / sqrt(sigma² +
/// 1), and x' = x + (sigma' - sigma) e.
///
/// **Source:** Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models",
/// algorithm 1 without its second-order correction; scaling as in diffusers.
public record Euler(NoiseSchedule schedule) implements Sampler {
  @Override
  public String name() {
    return "euler";
  }

  @Override
  public Run begin(int steps) {
    double[] alphas = schedule.alphaProducts();
    double[] times = new double[steps];
    double[] sigmas = new double[steps + 1];
    int[] whole = schedule.times(steps);
    for (int i = 0; i < steps; i++) {
      // as diffusers does, linear spacing keeps times between whole ones and interpolates
      times[i] =
          schedule.spacing() == NoiseSchedule.Spacing.LINSPACE
              ? schedule.linear(steps, i)
              : whole[i];
      int below = (int) times[i];
      int above = Math.min(below + 1, alphas.length - 1);
      double part = times[i] - below;
      sigmas[i] = (1 - part) * sigma(alphas[below]) + part * sigma(alphas[above]);
    }
    return new Run() {
      @Override
      public int steps() {
        return steps;
      }

      @Override
      public double time(int i) {
        return times[i];
      }

      @Override
      public double initialDeviation() {
        return schedule.spacing() == NoiseSchedule.Spacing.LEADING
            ? Math.sqrt(sigmas[0] * sigmas[0] + 1)
            : sigmas[0];
      }

      @Override
      public Tensor input(Tensor x, int i) {
        return x.mul(new org.bytedeco.pytorch.Scalar(1 / Math.sqrt(sigmas[i] * sigmas[i] + 1)));
      }

      @Override
      public Tensor step(Tensor x, Tensor noise, int i) {
        return Sampler.blend(1, x, sigmas[i + 1] - sigmas[i], noise);
      }
    };
  }

  private static double sigma(double alpha) {
    return Math.sqrt((1 - alpha) / alpha);
  }
}
