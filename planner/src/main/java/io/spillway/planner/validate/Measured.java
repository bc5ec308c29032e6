package io.spillway.planner.validate;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.platform.hardware.Cluster;
import java.util.Optional;

/// One measured run.
///
/// @param group rows of one group are left out together when a fit is checked, for example a model
/// @param label how the row is shown
/// @param seconds the measured iteration; empty when the run failed or was not timed
/// @param peakBytes the measured peak of one device's memory
/// @param doubt why the row contradicts itself; such rows are shown and teach nothing
public record Measured(
    String group,
    String label,
    Job job,
    Cluster cluster,
    Parallel cut,
    Optional<Double> seconds,
    Optional<Double> peakBytes,
    Optional<String> doubt) {
  /// **Errors:** a cut that suits neither the job nor the cluster.
  public Measured {
    cut.check(job, cluster.gpus());
  }

  /// A row without a doubt.
  public Measured(
      String group,
      String label,
      Job job,
      Cluster cluster,
      Parallel cut,
      Optional<Double> seconds,
      Optional<Double> peakBytes) {
    this(group, label, job, cluster, cut, seconds, peakBytes, Optional.empty());
  }
}
