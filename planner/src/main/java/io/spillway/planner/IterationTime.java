package io.spillway.planner;

import io.spillway.planner.cost.Breakdown;
import io.spillway.planner.simulate.PipelineSimulator.Timeline;
import java.util.Optional;

/// A predicted iteration.
///
/// @param seconds the whole iteration
/// @param breakdown where they go
/// @param timeline the operations of the slowest pipeline, if they were asked for
public record IterationTime(double seconds, Breakdown breakdown, Optional<Timeline> timeline) {}
