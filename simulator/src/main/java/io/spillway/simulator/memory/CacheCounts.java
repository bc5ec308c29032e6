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
  public long snoops;
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
    snoops = 0;
    bytesIn = 0;
    bytesOut = 0;
  }
}
