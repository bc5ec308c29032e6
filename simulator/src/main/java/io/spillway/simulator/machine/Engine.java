package io.spillway.simulator.machine;

/// A way to execute instructions. All engines work on the same [Machine] and leave the same state,
/// so a run may change between them at any instruction.
public interface Engine {
  /// Executes `count` instructions of one hart, exactly, or fewer if it stops running or the
  /// machine finishes.
  void run(Hart hart, long count);
}
