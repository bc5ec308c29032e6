package io.spillway.planner.measure;

import java.util.List;

/// Groups of processes that reduce together, and how much.
///
/// @param partition every process once
/// @param bytes sizes of the tensors, in bytes
public record Exchange(List<List<Integer>> partition, List<Long> bytes) {
  public Exchange {
    partition = partition.stream().map(List::copyOf).toList();
    bytes = List.copyOf(bytes);
  }
}
