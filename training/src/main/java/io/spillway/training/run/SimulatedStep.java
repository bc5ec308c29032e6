package io.spillway.training.run;

import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.engine.Lanes;
import io.spillway.training.engine.Pace;
import io.spillway.training.engine.SimulatedDevice;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.Timeline;
import io.spillway.training.plan.Workload;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Runs optimizer steps on the simulated device beside passes that only take their time, to compare
/// what the performance model predicts with what the executor achieves.
///
/// @param seconds of each measured step
/// @param timeline of the last steps
public record SimulatedStep(double[] seconds, Timeline timeline) {
  private static final int WARM = 3;

  /// The median step.
  public double median() {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /// Measures `steps` steps after warming up. The state is moved and updated for real; gradients
  /// are zero.
  public static SimulatedStep measure(
      DeviceSpec spec,
      List<Subgroup> subgroups,
      Schedule schedule,
      OptimizerOptions options,
      Workload workload,
      int steps) {
    long n = workload.parameters();
    double[] seconds = new double[steps];
    Timeline timeline = new Timeline();
    try (SimulatedDevice device = new SimulatedDevice(spec);
        Lanes lanes = new Lanes()) {
      MemorySegment weights = device.allocate(n * options.weights().bytes(), "weights");
      MemorySegment gradients = device.allocate(n * options.gradients().bytes(), "gradients");
      try (OffloadedOptimizer optimizer =
          new OffloadedOptimizer(
              device, weights, gradients, subgroups, schedule, options, lanes, x -> x)) {
        long before = System.nanoTime();
        for (int step = -WARM; step < steps; step++) {
          lanes.record(step >= steps - 2 ? timeline : null);
          pass(optimizer, workload);
          long now = System.nanoTime();
          if (step >= 0) {
            seconds[step] = (now - before) / 1e9;
          }
          before = now;
        }
        optimizer.drain();
      }
    }
    return new SimulatedStep(seconds, timeline);
  }

  private static void pass(OffloadedOptimizer optimizer, Workload workload) {
    List<Workload.Block> blocks = workload.blocks();
    for (int batch = 0; batch < workload.microBatches(); batch++) {
      boolean last = batch == workload.microBatches() - 1;
      for (Workload.Block block : blocks) {
        if (batch == 0) {
          optimizer.awaitWeights(block.from(), block.to());
        }
        rest(block.forwardSeconds());
      }
      if (last) {
        optimizer.beginBackward(1e-3);
      }
      for (Workload.Block block : blocks.reversed()) {
        rest(block.backwardSeconds());
        if (last) {
          optimizer.gradientsReady(block.from(), block.to());
        }
      }
    }
    optimizer.finishBackward(1);
  }

  private static void rest(double seconds) {
    Pace.until(System.nanoTime() + (long) (seconds * 1e9));
  }
}
