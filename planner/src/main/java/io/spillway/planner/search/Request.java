package io.spillway.planner.search;

import io.spillway.planner.Job;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Node;
import java.util.Comparator;

/// What a search is asked.
///
/// @param top how many plans are wanted
/// @param timeLimitSeconds when annealing ends
/// @param margin share of a card's memory that stays free
/// @param scope the space and the model that judges it
public record Request(
    Job job,
    Cluster cluster,
    Calibration calibration,
    MemoryModel memory,
    int top,
    double timeLimitSeconds,
    double margin,
    Seeds seeds,
    Scope scope) {
  /// Over the whole space under Spillway's own model.
  public Request(
      Job job,
      Cluster cluster,
      Calibration calibration,
      MemoryModel memory,
      int top,
      double timeLimitSeconds,
      double margin,
      Seeds seeds) {
    this(
        job,
        cluster,
        calibration,
        memory,
        top,
        timeLimitSeconds,
        margin,
        seeds,
        Scope.whole(calibration));
  }

  public Request {
    if (top < 1 || top > 1000) {
      throw SpillwayException.badInput("--top is %d, 1 to 1000 is accepted", top);
    }
    if (!(timeLimitSeconds > 0)) {
      throw SpillwayException.badInput(
          "--time-limit is %s s, it must be above 0", timeLimitSeconds);
    }
    if (!(margin >= 0 && margin < 1)) {
      throw SpillwayException.badInput("--margin is %s, 0 to below 1 is accepted", margin);
    }
    for (var node : cluster.nodes()) {
      if (!node.accelerator().supports(job.precision())) {
        throw SpillwayException.badInput(
            "%s of node %s has no %s matrix units; choose --precision from %s",
            node.accelerator().name(),
            node.name(),
            job.precision(),
            node.accelerator().supported().keySet());
      }
    }
  }

  /// The smallest card.
  public Accelerator card() {
    return cluster.nodes().stream()
        .map(Node::accelerator)
        .min(Comparator.comparingLong(a -> a.memory().bytes()))
        .orElseThrow();
  }

  /// Bytes that a plan may use on the smallest card.
  public double usable() {
    return card().memory().bytes() * (1 - margin);
  }
}
