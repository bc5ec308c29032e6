package io.spillway.cli;

import io.spillway.sweep.Sweep;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;

/// A command that works through points which a store keeps. Failed points are named on standard
/// error and make the exit status 1.
public abstract class SweepingCommand extends SpillwayCommand {
  @Mixin private ExecutorOptions executor = new ExecutorOptions();

  private boolean failed;

  @Override
  protected int exitStatus() {
    return failed ? 1 : 0;
  }

  /// Runs the points that `store` does not hold yet.
  protected Sweep.Outcome sweep(List<SweepPoint> points, SweepTask task, Path store) {
    Sweep.Outcome outcome = Sweep.run(points, task, executor.open(), store, progress());
    failed = !outcome.failures().isEmpty();
    outcome.failures().forEach((id, why) -> System.err.println("failed: " + id + ": " + why));
    return outcome;
  }
}
