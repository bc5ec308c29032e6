package io.spillway.training.optimizer;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import java.lang.foreign.MemorySegment;

/// Where master, momentum and variance of `n` parameters lie in one segment, so that a subgroup's
/// state moves in one copy.
///
/// @param n parameters
/// @param master how the master is kept
record StateLayout(long n, MasterLayout master) {
  private static final long ALIGNMENT = 64;

  long momentumOffset() {
    return align(n * master.bytes());
  }

  long varianceOffset() {
    return momentumOffset() + align(4 * n);
  }

  /// Bytes of the whole segment.
  long bytes() {
    return varianceOffset() + align(4 * n);
  }

  MemorySegment master(MemorySegment state) {
    return state.asSlice(0, n * master.bytes());
  }

  MemorySegment momentum(MemorySegment state) {
    return state.asSlice(momentumOffset(), 4 * n);
  }

  MemorySegment variance(MemorySegment state) {
    return state.asSlice(varianceOffset(), 4 * n);
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
