package io.spillway.diffusion.sampling;

import io.spillway.platform.SpillwayException;

/// How much noise each of the training's times adds, and which of these times a sampler visits.
///
/// **Source:** Ho et al., "Denoising Diffusion Probabilistic Models"; spacings as in diffusers.
///
/// @param trainSteps times in training, usually 1000
/// @param betaStart first variance
/// @param betaEnd last variance
/// @param scaled whether the variances' roots, not they themselves, grow linearly
/// @param spacing which times are visited
/// @param offset added to every visited time under [Spacing#LEADING]
/// @param lastAlphaOne whether the step below time 0 leads to no noise at all, for DDIM
public record NoiseSchedule(
    int trainSteps,
    double betaStart,
    double betaEnd,
    boolean scaled,
    Spacing spacing,
    int offset,
    boolean lastAlphaOne) {
  /// SDXL's: roots from .00085 to .012, leading, offset 1.
  public static final NoiseSchedule SDXL =
      new NoiseSchedule(1000, 0.00085, 0.012, true, Spacing.LEADING, 1, false);

  /// DiT's: 0.0001 to 0.02 linearly.
  public static final NoiseSchedule DIT =
      new NoiseSchedule(1000, 0.0001, 0.02, false, Spacing.LEADING, 0, true);

  /// Which times are visited.
  public enum Spacing {
    /// 0, k, 2k ... from below.
    LEADING,
    /// From the noisiest time down in equal steps.
    TRAILING,
    /// Both ends included.
    LINSPACE
  }

  public NoiseSchedule {
    if (trainSteps < 1 || !(betaStart > 0) || !(betaEnd < 1) || betaStart > betaEnd) {
      throw SpillwayException.badInput(
          "noise schedule with %d times and variances %s to %s: 0 < start <= end < 1 is needed",
          trainSteps, betaStart, betaEnd);
    }
  }

  /// The share of signal that is left at each time, the product of 1 - beta.
  public double[] alphaProducts() {
    double[] products = new double[trainSteps];
    double product = 1;
    for (int i = 0; i < trainSteps; i++) {
      double part = trainSteps == 1 ? 0 : (double) i / (trainSteps - 1);
      double beta;
      if (scaled) {
        double root = Math.sqrt(betaStart) + part * (Math.sqrt(betaEnd) - Math.sqrt(betaStart));
        beta = root * root;
      } else {
        beta = betaStart + part * (betaEnd - betaStart);
      }
      product *= 1 - beta;
      products[i] = product;
    }
    return products;
  }

  /// The visited times, noisiest first.
  public int[] times(int steps) {
    checkSteps(steps, trainSteps);
    int[] times = new int[steps];
    for (int i = 0; i < steps; i++) {
      times[i] =
          switch (spacing) {
            case LEADING ->
                Math.min(trainSteps - 1, (steps - 1 - i) * (trainSteps / steps) + offset);
            case TRAILING -> trailing(steps, i);
            case LINSPACE -> (int) Math.rint(linear(steps, i));
          };
    }
    return times;
  }

  /// The visited times of a solver that never asks at the clean end: those of one more step,
  /// without the last.
  public int[] solverTimes(int steps) {
    checkSteps(steps, trainSteps - 1);
    int[] times = new int[steps];
    for (int i = 0; i < steps; i++) {
      times[i] =
          switch (spacing) {
            case LEADING ->
                Math.min(trainSteps - 1, (steps - i) * (trainSteps / (steps + 1)) + offset);
            case TRAILING -> trailing(steps, i);
            case LINSPACE -> (int) Math.rint(linear(steps + 1, i));
          };
    }
    return times;
  }

  /// Time `i` of those in equal steps from the last one to 0, between whole ones.
  double linear(int steps, int i) {
    return steps == 1 ? trainSteps - 1 : (trainSteps - 1.0) * (steps - 1 - i) / (steps - 1);
  }

  private int trailing(int steps, int i) {
    return (int) Math.rint(trainSteps - (double) i * trainSteps / steps) - 1;
  }

  private static void checkSteps(int steps, int most) {
    if (steps < 1 || steps > most) {
      throw SpillwayException.badInput("%d steps: between 1 and %d are possible", steps, most);
    }
  }
}
