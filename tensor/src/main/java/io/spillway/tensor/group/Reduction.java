package io.spillway.tensor.group;

/// How elements of all ranks become one.
public enum Reduction {
  SUM,
  /// The sum divided by the number of ranks.
  MEAN,
  MIN,
  MAX
}
