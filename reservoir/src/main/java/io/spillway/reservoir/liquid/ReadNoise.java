package io.spillway.reservoir.liquid;

/// Gaussian numbers by counter: the same number for the same recording, step and neuron, in
/// whatever order they are asked for, so that sparse and dense simulation meet the same noise.
///
/// A hash of 64 bits is made Gaussian by counting its ones, a binomial of 64 trials, smoothed by a
/// uniform number; its kurtosis is 0.03 below a Gaussian's.
final class ReadNoise {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final float UNIT = (float) (1 / Math.sqrt(16 + 1 / 12.0));

  private ReadNoise() {}

  /// A number of mean 0 and variance 1.
  static float gaussian(long seed, long counter) {
    long z = seed + counter * GOLDEN;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    float smooth = (int) (z * 0xD1342543DE82EF95L >>> 40) * 0x1p-24f;
    return (Long.bitCount(z) - 32.5f + smooth) * UNIT;
  }

  /// Adds noise of the given variances to `current`.
  static void add(float[] current, float[] variance, int size, long seed, long counter) {
    for (int j = 0; j < size; j++) {
      current[j] += (float) Math.sqrt(variance[j]) * gaussian(seed, counter + j);
    }
  }
}
