package io.spillway.testkit;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// A small harness for property tests: runs a check over many seeded cases and names the seed of
/// the case that failed, so that it can be run again alone.
public final class Cases {
  private Cases() {}

  /// A check of one random case.
  @FunctionalInterface
  public interface Check {
    void run(RandomGenerator random) throws Exception;
  }

  /// Runs `check` for the seeds `0 .. count - 1`.
  public static void run(int count, Check check) {
    for (long seed = 0; seed < count; seed++) {
      one(seed, check);
    }
  }

  /// Runs `check` for one seed, as a failure report names it.
  public static void one(long seed, Check check) {
    try {
      check.run(RandomGeneratorFactory.of("L64X128MixRandom").create(seed));
    } catch (Throwable e) {
      throw new AssertionError("case with seed " + seed + " failed: " + e.getMessage(), e);
    }
  }
}
