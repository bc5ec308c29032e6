package io.spillway.models;

import java.util.List;

/// Rotary position embedding: component `i` and `i + rotaryDim / 2` of a head turn by the angle
/// `position * frequency[i]`.
///
/// **Source:** Su et al., RoFormer; the half-split layout of Hugging Face's llama.
public final class Rope {
  private final DecoderConfig config;
  private final double[] shortFrequencies;
  private final double[] longFrequencies;
  private final double scale;

  public Rope(DecoderConfig config) {
    this.config = config;
    int half = config.rotaryDim() / 2;
    double[] plain = new double[half];
    for (int i = 0; i < half; i++) {
      plain[i] = Math.pow(config.ropeTheta(), -2.0 * i / config.rotaryDim());
    }
    switch (config.ropeScaling()) {
      case RopeScaling.None none -> {
        shortFrequencies = plain;
        longFrequencies = plain;
        scale = 1;
      }
      case RopeScaling.Linear linear -> {
        double[] divided = new double[half];
        for (int i = 0; i < half; i++) {
          divided[i] = plain[i] / linear.factor();
        }
        shortFrequencies = divided;
        longFrequencies = divided;
        scale = 1;
      }
      case RopeScaling.Llama3 llama3 -> {
        double[] blended = new double[half];
        for (int i = 0; i < half; i++) {
          blended[i] = llama3(plain[i], llama3);
        }
        shortFrequencies = blended;
        longFrequencies = blended;
        scale = 1;
      }
      case RopeScaling.LongRope longRope -> {
        shortFrequencies = divide(plain, longRope.shortFactors());
        longFrequencies = divide(plain, longRope.longFactors());
        double ratio = (double) config.maxPositions() / longRope.originalPositions();
        scale =
            ratio <= 1
                ? 1
                : Math.sqrt(1 + Math.log(ratio) / Math.log(longRope.originalPositions()));
      }
    }
  }

  private static double[] divide(double[] frequencies, List<Double> factors) {
    double[] divided = new double[frequencies.length];
    for (int i = 0; i < divided.length; i++) {
      divided[i] = frequencies[i] / factors.get(i);
    }
    return divided;
  }

  private static double llama3(double frequency, RopeScaling.Llama3 s) {
    double wavelength = 2 * Math.PI / frequency;
    double longest = s.originalPositions() / s.lowFrequencyFactor();
    double shortest = s.originalPositions() / s.highFrequencyFactor();
    if (wavelength > longest) {
      return frequency / s.factor();
    }
    if (wavelength < shortest) {
      return frequency;
    }
    double smooth =
        (s.originalPositions() / wavelength - s.lowFrequencyFactor())
            / (s.highFrequencyFactor() - s.lowFrequencyFactor());
    return (1 - smooth) * frequency / s.factor() + smooth * frequency;
  }

  /// Radians per position for a sequence of `length` tokens, `[rotaryDim / 2]`.
  public double[] frequencies(long length) {
    boolean isLong =
        config.ropeScaling() instanceof RopeScaling.LongRope longRope
            && length > longRope.originalPositions();
    return (isLong ? longFrequencies : shortFrequencies).clone();
  }

  /// The factor on cosines and sines (LongRoPE's, otherwise 1).
  public double scale() {
    return scale;
  }

  /// Cosines of positions `from .. from + count - 1`, row by row: `[count, rotaryDim / 2]`.
  ///
  /// @param length tokens of the whole sequence, which chooses LongRoPE's frequencies
  public float[] cosines(long from, int count, long length) {
    return table(from, count, length, false);
  }

  /// Sines, as [#cosines].
  public float[] sines(long from, int count, long length) {
    return table(from, count, length, true);
  }

  private float[] table(long from, int count, long length, boolean sine) {
    double[] frequencies = frequencies(length);
    int half = frequencies.length;
    float[] table = new float[Math.multiplyExact(count, half)];
    for (int p = 0; p < count; p++) {
      for (int i = 0; i < half; i++) {
        double angle = (from + p) * frequencies[i];
        table[p * half + i] = (float) (scale * (sine ? Math.sin(angle) : Math.cos(angle)));
      }
    }
    return table;
  }
}
