package io.spillway.planner;

import io.spillway.planner.search.Answer;
import io.spillway.planner.search.Baselines;
import io.spillway.planner.search.Request;
import io.spillway.planner.search.SpillwaySearch;
import io.spillway.platform.Progress;

/// The door to the planner: asks one method for plans.
public final class Planner {
  private Planner() {}

  /// The plans of `method`, best first.
  ///
  /// **Errors:** nothing suits the request, or nothing fits in memory.
  public static Answer plan(Method method, Request request, Progress progress) {
    return method == Method.SPILLWAY
        ? SpillwaySearch.search(request, progress)
        : Baselines.search(method, request);
  }
}
