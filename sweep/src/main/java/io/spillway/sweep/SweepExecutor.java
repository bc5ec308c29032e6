package io.spillway.sweep;

import java.util.List;

/// Runs the points of a sweep somewhere: local threads, or a cluster.
public interface SweepExecutor {
  /// Hears of every point as it ends, from any thread, one at a time.
  interface Listener {
    /// The point ended with `json`.
    void finished(SweepPoint point, String json);

    /// The point failed.
    void failed(SweepPoint point, String message);
  }

  /// Runs all points and returns when every one has finished or failed.
  void run(List<SweepPoint> points, SweepTask task, Listener listener);
}
