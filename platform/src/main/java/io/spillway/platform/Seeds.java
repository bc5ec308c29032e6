package io.spillway.platform;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Random generators that a run can repeat: one seed for the run, one independent stream for each
/// named purpose, so that a new use of randomness does not shift the others.
///
/// @param seed the seed of the whole run, shown in its record
public record Seeds(long seed) {
  private static final RandomGeneratorFactory<RandomGenerator> FACTORY =
      RandomGeneratorFactory.of("L64X128MixRandom");

  /// The generator for one purpose, for example `"placement"`.
  public RandomGenerator stream(String purpose) {
    return stream(purpose, 0);
  }

  /// The generator for the `index`-th use of one purpose, for example of a restart or a rank.
  public RandomGenerator stream(String purpose, long index) {
    long mixed = mix(seed ^ mix(purpose.hashCode() * 0x9E3779B97F4A7C15L + index));
    return FACTORY.create(mixed);
  }

  /// The finaliser of SplitMix64 (Steele et al., OOPSLA 2014).
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
