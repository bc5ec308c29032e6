package io.spillway.training.optimizer;

/// How a step's gradients were treated.
///
/// @param norm the gradient's norm before clipping, NaN if it was not needed
/// @param applied whether the update runs; false when the norm is not finite
public record StepResult(double norm, boolean applied) {}
