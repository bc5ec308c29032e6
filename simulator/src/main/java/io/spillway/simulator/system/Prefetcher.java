package io.spillway.simulator.system;

import io.spillway.platform.yaml.Default;

/// A stride prefetcher that a cache trains with its misses.
///
/// @param entries entries of the table of strides, indexed by the address of the instruction
/// @param ways associativity of that table
/// @param degree lines asked for once a stride is trusted
/// @param confidenceBits width of the counter of trust
/// @param initialConfidence value of a new counter
/// @param threshold share of the largest count from which a stride is trusted
public record Prefetcher(
    @Default("64") int entries,
    @Default("4") int ways,
    @Default("4") int degree,
    @Default("3") int confidenceBits,
    @Default("4") int initialConfidence,
    @Default("0.5") double threshold) {
  public Prefetcher {
    Require.powerOfTwo("prefetcher entries", entries);
    Require.powerOfTwo("prefetcher ways", ways);
    Require.between("prefetcher ways", ways, 1, entries);
    Require.between("prefetcher degree", degree, 1, 64);
    Require.between("prefetcher confidence_bits", confidenceBits, 1, 8);
    Require.between(
        "prefetcher initial_confidence", initialConfidence, 0, (1L << confidenceBits) - 1);
    Require.share("prefetcher threshold", threshold);
  }
}
