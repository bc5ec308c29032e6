package io.spillway.training.run;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.training.engine.Device;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.optimizer.Tiers;
import io.spillway.training.plan.PerformanceModel;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.Workload;
import java.util.List;
import java.util.function.LongUnaryOperator;

/// The device memory that is left for the optimizer, and the splits that it allows.
///
/// @param free bytes beside weights, gradients, passes and reserve
/// @param footprint bytes that an allocation takes of the device
/// @param subgroups of the optimizer
/// @param options of the optimizer
record DeviceRoom(
    long free, LongUnaryOperator footprint, List<Subgroup> subgroups, OptimizerOptions options) {
  /// What is free on a device whose weights and gradients are there and whose passes have run.
  ///
  /// **Errors:** [io.spillway.platform.ErrorCode#DOES_NOT_FIT] when they alone exceed the budget.
  static DeviceRoom of(Device device, List<Subgroup> subgroups, OptimizerOptions options) {
    long used = device.used();
    if (used > device.capacity()) {
      throw SpillwayException.doesNotFit(
          "weights, gradients and activations take %s of the device, the budget is %s; the smallest"
              + " that works is %d bytes (activation checkpointing or a smaller micro-batch need"
              + " less)",
          new Bytes(used), new Bytes(device.capacity()), used);
    }
    return new DeviceRoom(
        Math.max(0, device.capacity() - used - device.reserve()),
        device::footprint,
        subgroups,
        options);
  }

  /// The largest share that may stay on the device when nothing is streamed.
  double residentAlone() {
    return share(free);
  }

  /// The largest share that may stay on the device beside the buffers for streaming; less than zero
  /// when the buffers themselves do not fit.
  double residentBesideBuffers() {
    long buffers = options.deviceSlots() * bytes(subgroups.getFirst());
    return free < buffers ? -1 : share(free - buffers);
  }

  /// Those that stay are the first ones, of which none is smaller than a later one.
  private double share(long bytes) {
    long left = bytes;
    int count = 0;
    for (Subgroup g : subgroups) {
      left -= bytes(g);
      if (left < 0) {
        break;
      }
      count++;
    }
    return (double) count / subgroups.size();
  }

  private long bytes(Subgroup g) {
    return footprint.applyAsLong(options.stateBytes(g.size()));
  }

  /// The split that the performance model takes: with streaming beside what stays, or with more
  /// that stays and no streaming, whichever is predicted to be faster. It fits.
  ///
  /// @param mostResident bound on the share that stays, in [0, 1]
  PerformanceModel.Choice choose(Workload workload, Rates rates, double mostResident) {
    double alone = Math.min(mostResident, residentAlone());
    double beside = Math.min(mostResident, residentBesideBuffers());
    PerformanceModel.Choice choice = choose(workload, rates, alone, alone == 1);
    if (beside >= 0 && alone < 1) {
      PerformanceModel.Choice streaming = choose(workload, rates, beside, true);
      if (streaming.prediction().iterationSeconds() <= choice.prediction().iterationSeconds()) {
        choice = streaming;
      }
    }
    if (needs(choice.schedule()) > free) {
      throw new IllegalStateException(
          "chose " + choice.schedule() + " of " + needs(choice.schedule()) + " bytes for " + free);
    }
    return choice;
  }

  private PerformanceModel.Choice choose(
      Workload workload, Rates rates, double resident, boolean mayStream) {
    return PerformanceModel.choose(
        subgroups, resident, mayStream, workload, rates, options.stateBytes(), options.graph());
  }

  /// Bytes of device memory that a schedule takes.
  long needs(Schedule schedule) {
    UpdateGraph graph =
        new UpdateGraph(subgroups, schedule.place(subgroups.size()), options.graph());
    return Tiers.Needs.of(graph, options, footprint).device();
  }
}
