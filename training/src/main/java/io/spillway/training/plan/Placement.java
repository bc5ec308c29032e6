package io.spillway.training.plan;

/// Where the optimizer state of a subgroup lives and who updates it.
public enum Placement {
  /// The state never leaves the device, which updates it.
  RESIDENT,
  /// The state lives on the host; it is brought to the device, updated there and brought back.
  STREAMED,
  /// The state lives on the host, whose processor updates it.
  CPU
}
