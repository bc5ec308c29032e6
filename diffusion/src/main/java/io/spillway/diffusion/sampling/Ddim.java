package io.spillway.diffusion.sampling;

import org.bytedeco.pytorch.Tensor;

/// Deterministic DDIM: x0 = (x - sqrt(1-a) e) / sqrt(a), then x' = sqrt(a') x0 + sqrt(1-a') e.
///
/// **Source:** Song et al., "Denoising Diffusion Implicit Models", equation 12 with eta 0.
public record Ddim(NoiseSchedule schedule) implements Sampler {
  @Override
  public String name() {
    return "ddim";
  }

  @Override
  public Run begin(int steps) {
    int[] times = schedule.times(steps);
    double[] alphas = schedule.alphaProducts();
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
        return 1;
      }

      @Override
      public Tensor input(Tensor x, int i) {
        return x;
      }

      @Override
      public Tensor step(Tensor x, Tensor noise, int i) {
        int before = times[i] - schedule.trainSteps() / steps;
        double a = alphas[times[i]];
        double next = before >= 0 ? alphas[before] : schedule.lastAlphaOne() ? 1 : alphas[0];
        double keep = Math.sqrt(next / a);
        return Sampler.blend(keep, x, Math.sqrt(1 - next) - keep * Math.sqrt(1 - a), noise);
      }
    };
  }
}
