package io.spillway.simulator.predict;

import io.spillway.simulator.system.Direction;

/// Predicts conditional branches with speculative history.
///
/// Every prediction fills a slot; `repair` puts the history right after a misprediction, `train`
/// moves the counters once the branch has committed. Slots are reused in a ring.
abstract class DirectionPredictor {
  /// Slots: more branches than any core holds in flight.
  static final int SLOTS = 1 << 13;

  static DirectionPredictor of(Direction settings, int shift) {
    return switch (settings) {
      case Direction.Tournament t -> new Tournament(t, shift);
      case Direction.Bimodal b -> new Counters(b.counters(), b.bits(), shift, false);
      case Direction.Gshare g -> new Counters(g.counters(), g.bits(), shift, true);
      case Direction.Tage t -> new Tage(t, shift);
    };
  }

  /// Predicts the branch at `pc` and shifts the prediction into the history.
  abstract boolean predict(long pc, int slot);

  /// Shifts an unconditional branch into the history.
  abstract void unconditional(int slot);

  /// Makes the newest prediction count as not taken: its target is unknown.
  abstract void clear(long pc);

  /// Restores the history before `slot` and shifts the true outcome in.
  abstract void repair(long pc, int slot, boolean taken);

  /// Takes a prediction of the wrong path back, newest first.
  abstract void undo(long pc, int slot);

  /// Learns the outcome.
  abstract void train(long pc, int slot, boolean taken);
}
