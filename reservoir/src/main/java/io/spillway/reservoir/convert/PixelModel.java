package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;

/// How a pixel of an event camera turns brightness into events.
///
/// @param response from intensity to the signal that is compared
/// @param thresholdOn rise of the signal that gives an event of polarity 1
/// @param thresholdOff fall that gives one of polarity 0
/// @param thresholdSpread standard deviation of a pixel's own thresholds, as a share of them
/// @param cutoffHz bandwidth of the photoreceptor
/// @param leakHz events a second by which the reference leaks towards ON
/// @param noiseHz false events a second
/// @param contrast of the screen that shows an image: how far its dark is below its bright, 1 for
///   black
public record PixelModel(
    Response response,
    double thresholdOn,
    double thresholdOff,
    double thresholdSpread,
    double cutoffHz,
    double leakHz,
    double noiseHz,
    double contrast) {
  /// From intensity to the signal.
  public sealed interface Response {
    /// `ln(I + floor)` of intensities 0..1, with a fixed bandwidth.
    record Logarithmic(double floor) implements Response {
      public Logarithmic {
        if (!(floor > 0)) {
          throw SpillwayException.badInput("a floor of %s, above 0 is possible", floor);
        }
      }
    }

    /// As v2e has it: linear up to 20 of 255, then logarithmic; the bandwidth grows with the
    /// intensity.
    record LinearLogarithmic() implements Response {}
  }

  /// Fitted to N-MNIST's recordings of known images.
  public static final PixelModel NMNIST =
      new PixelModel(new Response.Logarithmic(.3), .172, .172, .05, 300, 0, 1, 1);

  /// The defaults of v2e, before a screen whose dark is a fifth of its bright: with black it would
  /// give twice the events of N-MNIST's recordings (docs/results/reservoir.md).
  public static final PixelModel V2E =
      new PixelModel(new Response.LinearLogarithmic(), .2, .2, .15, 300, .1, 1, .8);

  public PixelModel {
    if (!(thresholdOn > 0) || !(thresholdOff > 0) || !(thresholdSpread >= 0)) {
      throw SpillwayException.badInput(
          "thresholds %s and %s with spread %s, above 0 is possible",
          thresholdOn, thresholdOff, thresholdSpread);
    }
    if (!(cutoffHz > 0) || !(leakHz >= 0) || !(noiseHz >= 0)) {
      throw SpillwayException.badInput(
          "cutoff %s Hz, leak %s Hz, noise %s Hz", cutoffHz, leakHz, noiseHz);
    }
    if (!(contrast > 0 && contrast <= 1)) {
      throw SpillwayException.badInput("a contrast of %s, above 0 up to 1 is possible", contrast);
    }
  }

  public PixelModel withThreshold(double on, double off) {
    return new PixelModel(response, on, off, thresholdSpread, cutoffHz, leakHz, noiseHz, contrast);
  }
}
