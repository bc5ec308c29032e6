package io.spillway.planner.search;

import io.spillway.planner.IterationModel;
import io.spillway.planner.LatencyModel;
import io.spillway.planner.Parallel;
import io.spillway.planner.cost.Calibration;
import java.util.function.Predicate;

/// What a search goes through and what judges it.
///
/// @param model predicts the iteration of a placed configuration
/// @param bounded whether [Bound] is a bound of that model; else every configuration is evaluated
/// @param admits the configurations that whoever trains can run
public record Scope(IterationModel model, boolean bounded, Predicate<Parallel> admits) {
  /// The whole space under Spillway's own model.
  public static Scope whole(Calibration calibration) {
    return new Scope(new LatencyModel(calibration), true, cut -> true);
  }
}
