package io.spillway.simulator.memory;

/// What a cache counted.
public final class CacheCounts {
  public long accesses;
  public long misses;
  public long fills;
  public long prefetches;
  public long writebacks;
  public long dirtyEvictions;
  public long blocked;

  /// Stores that had to ask for the right to write a line of which only a copy was here.
  public long upgrades;

  /// Lines taken away because another core wrote them.
  public long invalidations;

  /// Modified lines written back because another core wanted them.
  public long snoopWritebacks;

  public long bytesIn;
  public long bytesOut;

  void reset() {
    accesses = 0;
    misses = 0;
    fills = 0;
    prefetches = 0;
    writebacks = 0;
    dirtyEvictions = 0;
    blocked = 0;
    upgrades = 0;
    invalidations = 0;
    snoopWritebacks = 0;
    bytesIn = 0;
    bytesOut = 0;
  }
}
