package io.spillway.planner.memory;

/// What one device of the fullest stage needs, in bytes.
///
/// @param stage the fullest stage
/// @param states weights, gradients and optimizer states
/// @param activations kept for the backward pass, of all micro-batches in flight
/// @param logits of the output layer
/// @param buffers of communication, the runtime and the allocator's waste
/// @param correction factor that was learned from measurements
public record MemoryUse(
    int stage,
    double states,
    double activations,
    double logits,
    double buffers,
    double correction) {
  public double total() {
    return (states + activations + logits + buffers) * correction;
  }
}
