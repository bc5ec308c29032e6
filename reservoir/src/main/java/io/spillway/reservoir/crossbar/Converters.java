package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;

/// What stands around an array: converters of inputs and of column currents.
///
/// In a liquid the outputs are currents in units of the membrane; its inputs are spikes, one bit
/// each, so that bits of the drivers change nothing there. A readout on an array has both.
///
/// @param dacBits bits of an input; 0 takes it as it is
/// @param bitSerial whether the bits are applied one after the other with one-bit drivers, each
///   reading with noise of its own
/// @param adcBits bits of a column's result; 0 takes it as it is
/// @param outputBound the largest output, in units of input times weight; 0 for no bound. With
///   `adcBits` it is the converter's range
/// @param outputNoise standard deviation added to each output, in the same units
public record Converters(
    @Default("0") int dacBits,
    @Default("false") boolean bitSerial,
    @Default("0") int adcBits,
    @Default("0") double outputBound,
    @Default("0") double outputNoise) {
  /// No converters: exact numbers in and out.
  public static final Converters NONE = new Converters(0, false, 0, 0, 0);

  /// As the presets of IBM's analog hardware kit have it: 7 and 9 bits, bound 20, noise .1, for
  /// weights of at most 1.
  public static final Converters PRESET = new Converters(7, false, 9, 20, .1);

  public Converters {
    if (dacBits < 0 || dacBits > 16 || adcBits < 0 || adcBits > 24) {
      throw SpillwayException.badInput(
          "converters of %d and %d bits; 0 to 16 for the inputs, 0 to 24 for the outputs",
          dacBits, adcBits);
    }
    if (!(outputBound >= 0) || !(outputNoise >= 0)) {
      throw SpillwayException.badInput(
          "output bound %s and noise %s cannot be negative", outputBound, outputNoise);
    }
    if (adcBits > 0 && outputBound == 0) {
      throw SpillwayException.badInput(
          "an output converter of %d bits needs a range: set output_bound", adcBits);
    }
    if (bitSerial && dacBits == 0) {
      throw SpillwayException.badInput("bit-serial inputs need dac_bits of at least 1");
    }
  }

  /// One output through bound and converter.
  public double output(double value) {
    double bounded = outputBound > 0 ? Math.max(-outputBound, Math.min(outputBound, value)) : value;
    if (adcBits == 0) {
      return bounded;
    }
    double lsb = lsb();
    return Math.rint(bounded / lsb) * lsb;
  }

  /// The converter's smallest step: two codes are kept for the signs of the full range.
  public double lsb() {
    return 2 * outputBound / ((1 << adcBits) - 2);
  }

  /// An input of -1..1 as the driver applies it.
  public double input(double value) {
    double clamped = Math.max(-1, Math.min(1, value));
    if (dacBits == 0) {
      return value;
    }
    int levels = dacBits == 1 ? 1 : (1 << dacBits - 1) - 1;
    return Math.rint(clamped * levels) / levels;
  }
}
