package io.spillway.diffusion.sampling;

import io.spillway.tensor.TensorHolder;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// DPM-Solver++ of second order with two steps of memory: with l = ln(alpha/sigma), h = l' - l and
/// r = h_before / h, D = m0 + (m0 - m1) / (2 r) and x' = (sigma'/sigma) x - alpha' (e^-h - 1) D,
/// where m is the predicted clean image. The first step, and the last of fewer than 15, are of
/// first order, as is a last step to no noise at all.
///
/// **Source:** Lu et al., "DPM-Solver++", algorithm 2.
public record DpmSolver(NoiseSchedule schedule) implements Sampler {
  @Override
  public String name() {
    return "dpm++";
  }

  @Override
  public Run begin(int steps) {
    return new SolverRun(steps);
  }

  private final class SolverRun implements Run {
    private final int steps;
    private final int[] times;
    private final double[] alphas; // sqrt of the signal share, [steps + 1]
    private final double[] sigmas; // sqrt of the noise share, [steps + 1]
    private final TensorHolder holder = new TensorHolder();
    private @Nullable Tensor before; // the clean image predicted one step ago

    SolverRun(int steps) {
      this.steps = steps;
      this.times = schedule.solverTimes(steps);
      double[] products = schedule.alphaProducts();
      this.alphas = new double[steps + 1];
      this.sigmas = new double[steps + 1];
      for (int i = 0; i < steps; i++) {
        alphas[i] = Math.sqrt(products[times[i]]);
        sigmas[i] = Math.sqrt(1 - products[times[i]]);
      }
      alphas[steps] = 1;
    }

    private double logSnr(int i) {
      return Math.log(alphas[i] / sigmas[i]);
    }

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
      Tensor clean = Sampler.blend(1 / alphas[i], x, -sigmas[i] / alphas[i], noise);
      Tensor direction = clean;
      Tensor last = before;
      // the last step leads to no noise, where a second order does not exist
      if (last != null && i < steps - 1) {
        double h = logSnr(i + 1) - logSnr(i);
        double r = (logSnr(i) - logSnr(i - 1)) / h;
        direction = Sampler.blend(1 + 1 / (2 * r), clean, -1 / (2 * r), last);
      }
      before = last == null ? holder.hold(clean) : holder.replace(last, clean);
      double decay = i == steps - 1 ? 0 : Math.exp(logSnr(i) - logSnr(i + 1));
      return direction
          .mul(new Scalar(alphas[i + 1] * (1 - decay)))
          .add(x, new Scalar(sigmas[i + 1] / sigmas[i]));
    }

    @Override
    public void close() {
      holder.close();
    }
  }
}
