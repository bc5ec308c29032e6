package io.spillway.simulator.timing;

import java.util.List;
import java.util.Map;

/// What a run on a timing model found out.
///
/// @param system name of the system
/// @param clockHertz rate that `fast` stood for
/// @param coreHertz rate of the core
/// @param instructions measured instructions, all cores together
/// @param cycles core cycles, the longest core
/// @param cpi cycles per instruction
/// @param seconds simulated time
/// @param stack core cycles by cause; they sum to `cycles` of the first core
/// @param caches counts by cache
/// @param bandwidth use of every level against its limit
/// @param conditionalBranches predicted, wrong paths included
/// @param conditionalMispredicts committed conditional branches that led fetch the wrong way
/// @param targetMispredicts committed jumps with a wrong or unknown target
/// @param wrongPathMispredicts branches of wrong paths that were found wrong before their path
///   ended
/// @param decodeRedirects direct branches of the right path whose target decode had to put right
/// @param mispredicts branches of the right path that decode or execution had to put right, each
///   counted once
/// @param dramReads lines read from memory
/// @param dramWrites lines written to it
/// @param exitStatus the program's
/// @param finished whether it came to its end
/// @param hostSeconds wall time
/// @param millionsPerSecond simulated instructions per second of wall time, in millions
/// @param energy energy account
/// @param samples confidence of a sampled run, absent otherwise
public record TimingResult(
    String system,
    double clockHertz,
    double coreHertz,
    long instructions,
    long cycles,
    double cpi,
    double seconds,
    Map<String, Long> stack,
    List<CacheResult> caches,
    List<Bandwidth> bandwidth,
    long conditionalBranches,
    long conditionalMispredicts,
    long targetMispredicts,
    long wrongPathMispredicts,
    long decodeRedirects,
    long mispredicts,
    long dramReads,
    long dramWrites,
    int exitStatus,
    boolean finished,
    double hostSeconds,
    double millionsPerSecond,
    Energy.Account energy,
    java.util.Optional<Samples> samples) {

  /// Counts of one cache.
  public record CacheResult(
      String name, long accesses, long misses, long prefetches, long dirtyEvictions) {}

  /// Use of the crossbar above a level, or of the DRAM bus.
  ///
  /// @param level `l2`, `l3`, ... or `memory`
  /// @param bytesPerSecond carried on average
  /// @param limit carried at most
  public record Bandwidth(String level, double bytesPerSecond, double limit) {
    public double share() {
      return bytesPerSecond / limit;
    }
  }

  /// A sampled estimate: mean and half width of the 95 % confidence interval.
  ///
  /// @param count samples taken
  /// @param cpi mean cycles per instruction of the samples
  /// @param halfWidth half of the 95 % confidence interval of the mean
  public record Samples(int count, double cpi, double halfWidth) {}
}
