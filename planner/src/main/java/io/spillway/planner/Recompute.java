package io.spillway.planner;

/// What the backward pass computes again instead of having kept it.
public enum Recompute {
  /// Everything is kept.
  NONE,
  /// The scores of attention are computed again.
  SELECTIVE,
  /// Only each layer's input is kept.
  FULL
}
