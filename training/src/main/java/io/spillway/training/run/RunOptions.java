package io.spillway.training.run;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.Subgroup;
import java.util.List;

/// What follows from a run's settings: subgroups, the optimizer's options, the share of the state
/// for which the device has room.
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
  static void requireRoom(TrainSettings settings, long parameters, long owned, long capacity) {
    long fixed = 2 * parameters * settings.precision().bytes();
    if (fixed > capacity) {
      throw SpillwayException.doesNotFit(
          "weights and gradients of %d parameters need %s on the device, its memory is %s; the"
              + " smallest that works is about %d bytes",
          parameters,
          new Bytes(fixed),
          new Bytes(capacity),
          fixed
              + settings.buffers()
                  * ((settings.master().bytes() + 8) * size(settings, owned) + 192));
    }
  }

  /// What of the state may be on the device.
  ///
  /// @param resident share of the subgroups that may stay there
  /// @param mayStream whether there is room for streaming buffers beside them
  record Room(double resident, boolean mayStream) {}

  /// The room that `free` bytes give: streaming buffers first, since a streamed subgroup needs no
  /// room of its own; without room for them all of it is for subgroups that stay.
  static Room room(long free, List<Subgroup> subgroups, OptimizerOptions options) {
    long each = subgroups.getFirst().size() * options.stateBytes().state() + 192;
    long buffers = options.deviceSlots() * each;
    boolean mayStream = free >= buffers;
    long count = Math.max(0, (mayStream ? free - buffers : free) / each);
    return new Room(Math.min(1.0, (double) count / subgroups.size()), mayStream);
  }
}
