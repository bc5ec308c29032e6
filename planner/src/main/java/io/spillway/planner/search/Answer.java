package io.spillway.planner.search;

import io.spillway.planner.Plan;
import java.util.List;

/// The plans found, best first, and what the search did.
public record Answer(List<Plan> plans, SearchLog log) {
  public Plan best() {
    return plans.getFirst();
  }
}
