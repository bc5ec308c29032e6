package io.spillway.training.run;

import java.lang.foreign.MemorySegment;

/// The optimizer state of a contiguous range of the flat parameters, in host memory.
///
/// **Shapes:** each segment `[to - from]` f32.
///
/// @param from first parameter
/// @param to one past the last
public record Shard(
    long from, long to, MemorySegment master, MemorySegment momentum, MemorySegment variance) {}
