package io.spillway.planner;

import io.spillway.platform.hardware.Cluster;

/// Whatever predicts an iteration of a placed configuration.
public interface IterationModel {
  /// The predicted time of one iteration.
  ///
  /// **Errors:** a configuration that does not suit the job or the cluster.
  IterationTime predict(Job job, Cluster cluster, Parallel cut, Placement placement);
}
