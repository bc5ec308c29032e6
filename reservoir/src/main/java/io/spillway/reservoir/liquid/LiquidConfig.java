package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;

/// The liquid: leaky neurons with a hard reset between two crossbars.
///
/// `m = leak m (1 - s) + W_in x + W_rec s`, `s = [m > threshold]`.
///
/// @param neurons neurons; the padding to whole vectors is not counted
/// @param leak what stays of a membrane each step
/// @param threshold above which a neuron fires
/// @param inputScale factor on the input weights, for weights of the published spread (6.613 µS)
///   whatever the device's own
/// @param recurrentScale the same for the recurrent weights
/// @param wiring which cells are formed
/// @param adaptation whether thresholds follow the spikes
/// @param device a name of [io.spillway.reservoir.crossbar.DevicePresets], or a YAML or CSV file
/// @param noise false takes the noiseless twin of the device
/// @param segments equal parts of the recording whose spikes are counted apart
/// @param seed seed of the fabrication and of every read
public record LiquidConfig(
    int neurons,
    @Default("0.9") double leak,
    @Default("5.0") double threshold,
    double inputScale,
    double recurrentScale,
    Wiring wiring,
    @Default("none") Adaptation adaptation,
    @Default("TaOx40nm") String device,
    @Default("true") boolean noise,
    @Default("1") int segments,
    @Default("1") long seed) {
  /// As published for N-MNIST: 200 neurons, dense, counts over the whole recording.
  public static final LiquidConfig PUBLISHED_NMNIST =
      new LiquidConfig(
          200, .9, 5, .07, .07, new Wiring.Dense(), new Adaptation.None(), "TaOx40nm", true, 1, 1);

  /// As published for N-TIDIGITS.
  public static final LiquidConfig PUBLISHED_TIDIGITS =
      new LiquidConfig(
          200,
          .97,
          5.3,
          .08,
          .08,
          new Wiring.Dense(),
          new Adaptation.None(),
          "TaOx40nm",
          true,
          1,
          1);

  /// Fields of 11 x 11 pixels, 1,936 neurons, one count for each of the three saccades.
  public static final LiquidConfig LOCAL_NMNIST =
      new LiquidConfig(
          1936,
          .9,
          5,
          .3,
          .05,
          new Wiring.Local(5, 4, .5),
          new Adaptation.None(),
          "TaOx40nm",
          true,
          3,
          1);

  /// Sound on 64 channels: 1,000 neurons, dense, eight counts in a row.
  public static final LiquidConfig DENSE_SOUND =
      new LiquidConfig(
          1000, .9, 5, .3, .05, new Wiring.Dense(), new Adaptation.None(), "TaOx40nm", true, 8, 1);

  /// Sound on 64 channels with neurons that hear 21 neighbouring channels each. Scale, leak and
  /// radius were chosen on recordings kept for validation (docs/results/reservoir.md).
  public static final LiquidConfig LOCAL_SOUND =
      new LiquidConfig(
          1000,
          .95,
          5,
          2,
          .1,
          new Wiring.Local(10, 8, .5),
          new Adaptation.None(),
          "TaOx40nm",
          true,
          8,
          1);

  public LiquidConfig {
    if (neurons < 1 || neurons > 1 << 16) {
      throw SpillwayException.badInput("%d neurons, 1 to 65536 are possible", neurons);
    }
    if (!(leak >= 0 && leak <= 1)) {
      throw SpillwayException.badInput("a leak of %s, 0 to 1 is possible", leak);
    }
    if (!(threshold > 0)) {
      throw SpillwayException.badInput("a threshold of %s, above 0 is possible", threshold);
    }
    if (!Double.isFinite(threshold)
        || !Double.isFinite(inputScale)
        || !Double.isFinite(recurrentScale)) {
      throw SpillwayException.badInput(
          "threshold %s, scales %s and %s; finite numbers are needed",
          threshold, inputScale, recurrentScale);
    }
    if (segments < 1 || segments > 1000) {
      throw SpillwayException.badInput("%d segments, 1 to 1000 are possible", segments);
    }
  }

  public LiquidConfig withSeed(long other) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        device,
        noise,
        segments,
        other);
  }

  public LiquidConfig withNoise(boolean other) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        device,
        other,
        segments,
        seed);
  }

  public LiquidConfig withDevice(String other) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        other,
        noise,
        segments,
        seed);
  }

  public LiquidConfig withNeurons(int other) {
    return new LiquidConfig(
        other,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        device,
        noise,
        segments,
        seed);
  }

  public LiquidConfig withSegments(int other) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        device,
        noise,
        other,
        seed);
  }

  public LiquidConfig withScales(double input, double recurrent) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        input,
        recurrent,
        wiring,
        adaptation,
        device,
        noise,
        segments,
        seed);
  }

  public LiquidConfig withLeak(double other) {
    return new LiquidConfig(
        neurons,
        other,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        device,
        noise,
        segments,
        seed);
  }

  public LiquidConfig withWiring(Wiring other) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        other,
        adaptation,
        device,
        noise,
        segments,
        seed);
  }

  public LiquidConfig withThreshold(double other) {
    return new LiquidConfig(
        neurons,
        leak,
        other,
        inputScale,
        recurrentScale,
        wiring,
        adaptation,
        device,
        noise,
        segments,
        seed);
  }

  public LiquidConfig withAdaptation(Adaptation other) {
    return new LiquidConfig(
        neurons,
        leak,
        threshold,
        inputScale,
        recurrentScale,
        wiring,
        other,
        device,
        noise,
        segments,
        seed);
  }
}
