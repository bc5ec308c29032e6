package io.spillway.simulator.functional;

/// Code for a region.
///
/// @param code to run
/// @param size the least budget that it may be called with, in instructions
record Variant(RegionCode code, int size) {}
