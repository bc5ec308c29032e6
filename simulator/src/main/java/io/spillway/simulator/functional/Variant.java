package io.spillway.simulator.functional;

import java.util.List;

/// Code for a region.
///
/// @param code to run
/// @param size the least budget that it may be called with, in instructions
/// @param entries addresses at which it may be entered
record Variant(RegionCode code, int size, List<Long> entries) {
  Variant {
    entries = List.copyOf(entries);
  }
}
