package io.spillway.planner;

import io.spillway.planner.memory.MemoryUse;

/// One answer: a configuration, where its ranks run, and what it is expected to cost.
///
/// @param method who proposed it
/// @param ownSeconds the iteration as that method's own formula predicts it
/// @param time the iteration as the event-driven model predicts it
/// @param identitySeconds the same without the placement (rank r on accelerator r)
public record Plan(
    Method method,
    Parallel cut,
    Placement placement,
    double ownSeconds,
    IterationTime time,
    double identitySeconds,
    MemoryUse memory) {}
