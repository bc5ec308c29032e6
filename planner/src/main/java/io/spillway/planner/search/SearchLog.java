package io.spillway.planner.search;

import java.util.Locale;

/// What a search did with the configurations of its space.
///
/// @param considered all that suit job and cluster
/// @param tooLarge ruled out because they do not fit the memory
/// @param pruned ruled out because their bound lies above a plan already found
/// @param evaluated played by the event-driven model
/// @param annealed placed by annealing as well
/// @param seconds wall-clock time
/// @param complete whether the time limit left nothing undone
public record SearchLog(
    long considered,
    long tooLarge,
    long pruned,
    long evaluated,
    long annealed,
    double seconds,
    boolean complete) {
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d configurations considered: %,d do not fit in memory, %,d pruned by a bound, %,d"
            + " evaluated, %,d of them placed by annealing; %.1f s%s",
        considered,
        tooLarge,
        pruned,
        evaluated,
        annealed,
        seconds,
        complete ? "" : " (stopped by the time limit)");
  }
}
