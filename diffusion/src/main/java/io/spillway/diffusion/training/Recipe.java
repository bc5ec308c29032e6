package io.spillway.diffusion.training;

import io.spillway.platform.SpillwayException;

/// How one of our small models is trained: everything that decides the result, as it is written
/// beside the weights.
///
/// @param smallSteps steps on pictures of half the size, which cost a quarter and teach most
/// @param smallBatch pictures in each of them
/// @param steps steps on pictures of full size after those
/// @param batch pictures in each of them
/// @param size rows and columns of a picture
/// @param rate learning rate between warm-up and decay
/// @param decaySteps last steps of the run, in which the rate falls linearly to zero
/// @param labelDropout share of pictures whose class is hidden, which makes guidance possible
/// @param averaging weight of the past in the running average of the weights
/// @param seed of weights, pictures, noise and times
public record Recipe(
    long smallSteps,
    int smallBatch,
    long steps,
    int batch,
    int size,
    double rate,
    long decaySteps,
    double labelDropout,
    double averaging,
    long seed) {
  static final double WEIGHT_DECAY = 0.01;
  static final double CLIP = 1;
  private static final int WARM_UP = 100;

  public Recipe {
    if (smallSteps < 0 || steps < 0 || smallSteps + steps < 1) {
      throw SpillwayException.badInput(
          "training for %d + %d steps: at least one is needed", smallSteps, steps);
    }
    if (batch < 1 || smallBatch < 1) {
      throw SpillwayException.badInput("batches of %d and %d: at least 1", smallBatch, batch);
    }
    if (size < 16 || size % 16 != 0) {
      throw SpillwayException.badInput("picture size %d is no multiple of 16 pixels", size);
    }
    if (!(rate > 0 && rate < 1)) {
      throw SpillwayException.badInput("learning rate %s must lie between 0 and 1", rate);
    }
    if (!(labelDropout >= 0 && labelDropout < 1)) {
      throw SpillwayException.badInput("label dropout %s must lie in [0, 1)", labelDropout);
    }
  }

  long totalSteps() {
    return smallSteps + steps;
  }

  /// The learning rate of one step, counted from 0.
  double rateAt(long step) {
    double rising = Math.min(1, (step + 1.0) / WARM_UP);
    double falling = decaySteps == 0 ? 1 : Math.min(1, (totalSteps() - step) / (double) decaySteps);
    return rate * Math.min(rising, Math.max(falling, 0));
  }
}
