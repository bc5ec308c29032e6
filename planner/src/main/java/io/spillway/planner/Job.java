package io.spillway.planner;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;

/// What is to be trained.
///
/// @param globalBatch sequences in one iteration
/// @param sequence tokens of one sequence
/// @param precision of the matrix arithmetic
/// @param flashAttention whether attention never writes its scores to memory
/// @param keeps what the framework keeps of each layer
public record Job(
    ModelShape model,
    int globalBatch,
    int sequence,
    Precision precision,
    boolean flashAttention,
    Keeps keeps) {
  /// Kept as Megatron-LM does.
  public Job(
      ModelShape model,
      int globalBatch,
      int sequence,
      Precision precision,
      boolean flashAttention) {
    this(model, globalBatch, sequence, precision, flashAttention, Keeps.of(model));
  }

  public Job {
    if (globalBatch < 1) {
      throw SpillwayException.badInput(
          "the global batch is %d sequences, at least 1 is needed", globalBatch);
    }
    if (sequence < 1) {
      throw SpillwayException.badInput("the sequence is %d tokens, at least 1 is needed", sequence);
    }
    if (sequence > model.maxSequence()) {
      throw SpillwayException.badInput(
          "a sequence of %d tokens is too long for %s, which takes at most %d; lower --seq",
          sequence, model.name(), model.maxSequence());
    }
  }
}
