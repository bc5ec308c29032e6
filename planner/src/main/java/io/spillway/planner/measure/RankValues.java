package io.spillway.planner.measure;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Exchanges one measured value of each process, so that all of them know all.
final class RankValues {
  private final ProcessGroup world;
  private final ComputeDevice device;

  RankValues(ProcessGroup world, ComputeDevice device) {
    this.world = world;
    this.device = device;
  }

  /// The value of each process, in their order.
  double[] all(double mine) {
    try (TensorScope scope = TensorScope.open()) {
      double[] all = new double[world.size()];
      all[world.rank()] = mine;
      Tensor t = scope.adopt(Tensors.to(Tensors.of(all, all.length), device));
      world.allReduce(t, Reduction.SUM);
      return Tensors.doubles(t);
    }
  }

  /// The mean over all processes.
  double mean(double mine) {
    return mean(mine, world.size());
  }

  /// The mean over the first `active` processes; the others hand in 0.
  double mean(double mine, int active) {
    return Arrays.stream(all(mine)).sum() / active;
  }

  static double median(List<Double> values) {
    return LinkProfiler.median(values.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
