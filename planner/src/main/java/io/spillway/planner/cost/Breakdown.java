package io.spillway.planner.cost;

/// Where the seconds of an iteration go, along the pipeline and stage that end last.
///
/// @param compute arithmetic of that stage
/// @param tensorParallel its collectives within layers (tensor, context and expert parallelism)
/// @param bubble time in which the stage waits for others, its messages included
/// @param reduce reduction of gradients and gathering of weights that nothing hides
/// @param optimizer the step
/// @param total the iteration
public record Breakdown(
    double compute,
    double tensorParallel,
    double bubble,
    double reduce,
    double optimizer,
    double total) {}
