package io.spillway.training.run;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.optimizer.Tiers;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.UpdateGraph;
import java.util.List;

/// What follows from a run's settings: subgroups, the optimizer's options, the least memory.
final class RunOptions {
  private static final int SUBGROUPS = 64;
  private static final long MULTIPLE = 64;

  private RunOptions() {}

  /// The subgroups of the parameters `from` to `to`.
  static List<Subgroup> subgroups(TrainSettings settings, long from, long to) {
    return Subgroup.cut(from, to, size(settings, to - from));
  }

  /// Parameters of a subgroup: a 64th, rounded up so that vectors and cache lines are not cut.
  static long size(TrainSettings settings, long parameters) {
    if (settings.subgroupSize() > 0) {
      return settings.subgroupSize();
    }
    long size = (parameters + SUBGROUPS - 1) / SUBGROUPS;
    return Math.max(1, (size + MULTIPLE - 1) / MULTIPLE * MULTIPLE);
  }

  /// @param from first parameter of this rank, which tells its state file from the others'
  static OptimizerOptions optimizer(
      TrainSettings settings, TrainDevice device, int threads, long from, long hostMemory) {
    return new OptimizerOptions(
        settings.adam(),
        settings.precision(),
        settings.precision(),
        settings.master(),
        settings.clip(),
        threads,
        device.hostUpdateRate(),
        settings.buffers(),
        Math.max(2, settings.buffers()),
        settings.stateFolder().map(f -> f.resolve("spillway-state-" + from + ".bin")),
        device.diskRate(),
        false,
        hostMemory);
  }

  /// **Errors:** weights and gradients that do not fit, with the smallest budget that works.
  static void requireRoom(
      TrainSettings settings, long parameters, List<Subgroup> subgroups, long capacity) {
    long fixed = 2 * parameters * settings.precision().bytes();
    if (fixed > capacity) {
      long all =
          fixed
              + settings
                  .schedule()
                  .map(s -> needs(s, subgroups, settings).device())
                  // without a wish the whole update can be left to the CPU
                  .orElse(0L);
      throw SpillwayException.doesNotFit(
          "weights and gradients of %d parameters need %s on the device, its memory is %s; the"
              + " smallest that works is %d bytes",
          parameters, new Bytes(fixed), new Bytes(capacity), all);
    }
  }

  private static Tiers.Needs needs(
      Schedule schedule, List<Subgroup> subgroups, TrainSettings settings) {
    OptimizerOptions options = optimizer(settings, new TrainDevice.Host(), 1, 0, Long.MAX_VALUE);
    UpdateGraph graph =
        new UpdateGraph(subgroups, schedule.place(subgroups.size()), options.graph());
    return Tiers.Needs.of(graph, options, bytes -> bytes);
  }
}
