package io.spillway.training.optimizer;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.Precision;
import io.spillway.platform.SpillwayException;
import io.spillway.training.plan.GraphOptions;
import io.spillway.training.plan.StateBytes;
import java.nio.file.Path;
import java.util.Optional;

/// How an [OffloadedOptimizer] computes and what it may use.
///
/// @param adam hyperparameters
/// @param weights format of the device's weights
/// @param gradients format of the device's gradients
/// @param master how the single-precision parameters are kept
/// @param maxNorm the norm to which gradients are clipped, infinity for no clipping
/// @param cpuThreads threads of the CPU update
/// @param cpuRate parameters/s that the CPU update may reach, infinity for as fast as it can
/// @param deviceSlots buffers on the device for streamed state
/// @param hostSlots buffers on the host for state on disk
/// @param stateFile where host-side state lives when not in memory
/// @param diskRate bytes/s of that file, infinity for as fast as it can
/// @param eager whether updates run during the backward pass
/// @param hostBudget bytes of host memory that may be used
public record OptimizerOptions(
    AdamSettings adam,
    Precision weights,
    Precision gradients,
    MasterLayout master,
    double maxNorm,
    int cpuThreads,
    double cpuRate,
    int deviceSlots,
    int hostSlots,
    Optional<Path> stateFile,
    double diskRate,
    boolean eager,
    long hostBudget) {
  public OptimizerOptions {
    if (!(maxNorm > 0)) {
      throw SpillwayException.badInput("clipping norm is %s, it must be positive", maxNorm);
    }
    if (master == MasterLayout.SPLIT && weights != Precision.BF16) {
      throw SpillwayException.badInput("a split master needs bf16 weights, they are %s", weights);
    }
  }

  /// bf16 weights and gradients, clipping at 1, everything in memory.
  public static OptimizerOptions usual(AdamSettings adam) {
    return new OptimizerOptions(
        adam,
        Precision.BF16,
        Precision.BF16,
        MasterLayout.FULL,
        1,
        1,
        Double.POSITIVE_INFINITY,
        3,
        3,
        Optional.empty(),
        Double.POSITIVE_INFINITY,
        false,
        Long.MAX_VALUE);
  }

  /// Whether the norm of the gradient is needed: to clip, or to see an overflow of binary16.
  public boolean needsNorm() {
    return !Double.isInfinite(maxNorm) || gradients == Precision.F16;
  }

  /// How the tasks of an update are bound together under these options.
  public GraphOptions graph() {
    return new GraphOptions(deviceSlots, hostSlots, stateFile.isPresent(), needsNorm(), eager);
  }

  /// Bytes of the state of `parameters` parameters, with what aligns its arrays.
  public long stateBytes(long parameters) {
    return new StateLayout(parameters, master).bytes();
  }

  public StateBytes stateBytes() {
    return new StateBytes(weights.bytes(), gradients.bytes(), master.bytes() + 8);
  }
}
