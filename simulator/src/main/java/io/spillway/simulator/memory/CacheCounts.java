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
  public long bytesIn;
  public long bytesOut;
}
