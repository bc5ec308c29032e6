package io.spillway.reservoir.liquid;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Gaussian numbers by counter: the same number for the same recording, step and neuron, in
/// whatever order they are asked for, so that sparse and dense simulation meet the same noise.
///
/// Two hashes of 32 bits are made Gaussian by counting their ones, a binomial of 64 trials,
/// smoothed by a uniform number; its kurtosis is 0.03 below a Gaussian's.
final class ReadNoise {
  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final IntVector LANE = IntVector.zero(INTS).addIndex(1);
  static final int GOLDEN = 0x9E3779B1;
  static final int FIRST = 0x85EBCA6B;
  static final int SECOND = 0xC2B2AE35;
  static final int THIRD = 0x27D4EB2F;
  static final float SMOOTH = 0x1p-32f;
  static final float UNIT = (float) (1 / Math.sqrt(16 + 1 / 12.0));

  private ReadNoise() {}

  /// The seed of one recording's noise.
  static long seed(long config, long recording) {
    return (config * 0x632BE59BD9B4E019L + recording + 1) * 0xD1B54A32D192ED03L;
  }

  /// A number of mean 0 and variance 1.
  static float gaussian(long seed, int counter) {
    int a = mix((int) seed + counter * GOLDEN);
    int b = mix(a ^ (int) (seed >>> 32));
    int ones = Integer.bitCount(a) + Integer.bitCount(b);
    // the product's upper bits are uniform and nearly independent of how many ones there are
    return (ones - 32 + (b * THIRD + a) * SMOOTH) * UNIT;
  }

  private static int mix(int value) {
    int h = (value ^ value >>> 16) * FIRST;
    h = (h ^ h >>> 13) * SECOND;
    return h ^ h >>> 16;
  }

  /// Adds noise of the given variances to `current`; neuron `j` has the number `counter + j`.
  static void add(float[] current, int at, float[] variance, int size, long seed, int counter) {
    int bound = INTS.loopBound(size);
    for (int j = 0; j < bound; j += INTS.length()) {
      FloatVector spread = FloatVector.fromArray(FLOATS, variance, at + j);
      IntVector a = mix(LANE.add(counter + j).mul(GOLDEN).add((int) seed));
      IntVector b = mix(a.lanewise(VectorOperators.XOR, (int) (seed >>> 32)));
      IntVector ones =
          a.lanewise(VectorOperators.BIT_COUNT).add(b.lanewise(VectorOperators.BIT_COUNT)).sub(32);
      FloatVector g = number(ones).add(number(b.mul(THIRD).add(a)).mul(SMOOTH)).mul(UNIT);
      FloatVector.fromArray(FLOATS, current, at + j)
          .add(spread.lanewise(VectorOperators.SQRT).mul(g))
          .intoArray(current, at + j);
    }
    for (int j = bound; j < size; j++) {
      current[at + j] += (float) Math.sqrt(variance[at + j]) * gaussian(seed, counter + j);
    }
  }

  private static FloatVector number(IntVector v) {
    return (FloatVector) v.convert(VectorOperators.I2F, 0);
  }

  private static IntVector mix(IntVector value) {
    IntVector h =
        value.lanewise(VectorOperators.XOR, value.lanewise(VectorOperators.LSHR, 16)).mul(FIRST);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 13)).mul(SECOND);
    return h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16));
  }
}
