package io.spillway.longcontext;

import io.spillway.platform.SpillwayException;

/// How long a training lasts: a number of steps, or a time limit where the schedule follows the
/// clock.
///
/// @param steps of the whole training, 0 when time limits it
/// @param seconds time limit, 0 when steps limit it
public record TrainingLength(int steps, double seconds) {
  public TrainingLength {
    if (steps < 0 || !(seconds >= 0) || seconds > 1e7 || (steps == 0) == (seconds == 0)) {
      throw SpillwayException.badInput(
          "give either steps (%d) or a time limit (%s s), the other one 0", steps, seconds);
    }
  }

  public static TrainingLength ofSteps(int steps) {
    return new TrainingLength(steps, 0);
  }

  public boolean timed() {
    return seconds > 0;
  }

  /// The share that is over, 1 at the end.
  ///
  /// @param done steps done
  /// @param spent seconds spent, of earlier runs as well
  public double fraction(int done, double spent) {
    return timed() ? spent / seconds : (double) done / steps;
  }

  /// What a progress bar counts to.
  public long units() {
    return timed() ? (long) Math.ceil(seconds) : steps;
  }

  /// How far a progress bar is.
  public long unitsDone(int done, double spent) {
    return timed() ? (long) Math.min(spent, seconds) : done;
  }
}
