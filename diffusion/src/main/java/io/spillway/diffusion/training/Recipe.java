package io.spillway.diffusion.training;

import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;

/// How one of our small models is trained: everything that decides the result, as it is written
/// beside the weights.
///
/// @param steps where the run ends, 0 for no such end
/// @param seconds of training after which the run ends, 0 for no such end
/// @param batch pictures in a step
/// @param size rows and columns of a picture
/// @param rate learning rate between warm-up and decay
/// @param decayShare the last share of the run, in which the rate falls linearly to zero
/// @param labelDropout share of pictures whose class is hidden, which makes guidance possible
/// @param type what forward and backward compute in; weights and moments are f32 always
/// @param seed of weights, pictures, noise and times
public record Recipe(
    long steps,
    long seconds,
    int batch,
    int size,
    double rate,
    double decayShare,
    double labelDropout,
    DType type,
    long seed) {
  static final double WEIGHT_DECAY = 0.01;
  static final double CLIP = 1;
  private static final int WARM_UP = 200;

  public Recipe {
    if (steps < 0 || seconds < 0 || steps + seconds < 1) {
      throw SpillwayException.badInput(
          "training for %d steps and %d seconds: one of them must be at least 1", steps, seconds);
    }
    if (batch < 1 || batch > 65536) {
      throw SpillwayException.badInput("batch of %d: between 1 and 65536", batch);
    }
    if (size < 16 || size % 16 != 0) {
      throw SpillwayException.badInput("picture size %d is no multiple of 16 pixels", size);
    }
    if (!(rate > 0 && rate < 1)) {
      throw SpillwayException.badInput("learning rate %s must lie between 0 and 1", rate);
    }
    if (!(decayShare >= 0 && decayShare <= 1)) {
      throw SpillwayException.badInput("decay share %s must lie in [0, 1]", decayShare);
    }
    if (!(labelDropout >= 0 && labelDropout < 1)) {
      throw SpillwayException.badInput("label dropout %s must lie in [0, 1)", labelDropout);
    }
    if (type != DType.F32 && type != DType.BF16) {
      throw SpillwayException.badInput("computing type %s is none of F32, BF16", type);
    }
  }

  /// The share of the run that lies behind, 0 to 1.
  double progress(long step, double elapsedSeconds) {
    double bySteps = steps == 0 ? 0 : (double) step / steps;
    double byTime = seconds == 0 ? 0 : elapsedSeconds / seconds;
    return Math.min(1, Math.max(bySteps, byTime));
  }

  /// The learning rate of one step, counted from 0: a trapezoid.
  double rateAt(long step, double progress) {
    double rising = Math.min(1, (step + 1.0) / WARM_UP);
    double falling = decayShare == 0 ? 1 : Math.min(1, (1 - progress) / decayShare);
    return rate * Math.min(rising, Math.max(falling, 0));
  }
}
