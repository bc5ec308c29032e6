package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.yaml.Default;
import java.util.Optional;

/// One cache; latencies in its own cycles.
///
/// @param name `l1i`, `l1d`, `l2`, ...
/// @param size capacity
/// @param ways associativity
/// @param line bytes of a line
/// @param tag cycles of the tag lookup, which is also what a miss waits before it goes on
/// @param data cycles of the data array; tags and data are read at once unless `sequential`
/// @param response cycles to pass on a line that came from below
/// @param sequential whether the data array waits for the tags
/// @param mshrs misses in flight; the cache takes no access while all are in use
/// @param targets accesses that one miss can serve
/// @param writeBuffers evicted lines on their way down
/// @param replacement which line leaves a full set
/// @param inclusion how this level relates to the ones above it
/// @param writebackClean whether clean lines are written back too
/// @param prefetcher stride prefetcher, absent for none
/// @param above the crossbar between this cache and those above it; absent for the first level
/// @param technology name of a component technology for the energy account
/// @param clock its clock
public record CacheLevel(
    String name,
    Bytes size,
    int ways,
    @Default("64") int line,
    int tag,
    int data,
    int response,
    @Default("false") boolean sequential,
    @Default("16") int mshrs,
    @Default("20") int targets,
    @Default("8") int writeBuffers,
    @Default("lru") Replacement replacement,
    @Default("mostly-inclusive") Inclusion inclusion,
    @Default("false") boolean writebackClean,
    Optional<Prefetcher> prefetcher,
    Optional<Crossbar> above,
    @Default("cmos-300k") String technology,
    Clock clock) {

  /// Which line leaves a full set.
  public enum Replacement {
    LRU,
    FIFO,
    RANDOM,
    SRRIP
  }

  /// How a level relates to the ones above it: `mostly-inclusive` keeps a copy while it can,
  /// `inclusive` takes lines away above when it evicts them, `exclusive` holds only what was
  /// evicted above.
  public enum Inclusion {
    MOSTLY_INCLUSIVE,
    INCLUSIVE,
    EXCLUSIVE
  }

  public CacheLevel {
    Require.powerOfTwo("cache " + name + ": line", line);
    Require.between("cache " + name + ": line", line, 16, 1024);
    Require.between("cache " + name + ": ways", ways, 1, 1024);
    Require.between("cache " + name + ": size", size.bytes(), line, 1L << 32);
    if (size.bytes() % ((long) ways * line) != 0) {
      throw SpillwayException.badInput(
          "cache %s: %d bytes do not divide into %d ways of %d-byte lines",
          name, size.bytes(), ways, line);
    }
    Require.powerOfTwo("cache " + name + ": sets", size.bytes() / ((long) ways * line));
    Require.between("cache " + name + ": tag", tag, 0, 10_000);
    Require.between("cache " + name + ": data", data, 0, 10_000);
    Require.between("cache " + name + ": response", response, 0, 10_000);
    Require.between("cache " + name + ": mshrs", mshrs, 1, 4096);
    Require.between("cache " + name + ": targets", targets, 1, 4096);
    Require.between("cache " + name + ": write_buffers", writeBuffers, 1, 4096);
  }

  public int sets() {
    return (int) (size.bytes() / ((long) ways * line));
  }

  /// Cycles of a hit.
  public int hit() {
    return sequential ? tag + data : Math.max(tag, data);
  }
}
