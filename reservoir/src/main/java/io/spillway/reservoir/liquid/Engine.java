package io.spillway.reservoir.liquid;

import io.spillway.tensor.ComputeDevice;

/// What runs a liquid over a set of recordings; the spikes are the same but for rounding.
public sealed interface Engine {
  /// The event-driven engine, one recording a core.
  record Sparse() implements Engine {}

  /// Batches of recordings as matrices on a device of libtorch.
  record Torch(ComputeDevice device) implements Engine {}
}
