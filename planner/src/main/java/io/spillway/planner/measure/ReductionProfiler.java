package io.spillway.planner.measure;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Measures how long groups take to average gradients, all groups of a partition at once, as they
/// do at the end of an iteration.
final class ReductionProfiler {
  private static final int TIMES = 5;

  private final ProcessGroup world;
  private final ComputeDevice device;
  private final Runnable before;

  /// @param before what each process does before it reduces, so that they do not come at once
  ReductionProfiler(ProcessGroup world, ComputeDevice device, Runnable before) {
    this.world = world;
    this.device = device;
    this.before = before;
  }

  List<ComputeProfile.Sum> run(List<Exchange> exchanges) {
    List<ComputeProfile.Sum> all = new ArrayList<>();
    for (Exchange e : exchanges) {
      try (ProcessGroup group = world.split(e.partition())) {
        for (long bytes : e.bytes()) {
          double[] each = new RankValues(world, device).all(one(group, bytes));
          for (List<Integer> g : e.partition()) {
            double mean = g.stream().mapToDouble(r -> each[r]).average().orElseThrow();
            all.add(new ComputeProfile.Sum(g, bytes, mean));
          }
        }
        world.barrier();
      }
    }
    return all;
  }

  private double one(ProcessGroup group, long bytes) {
    List<Double> times = new ArrayList<>();
    try (TensorScope scope = TensorScope.open()) {
      Tensor t = scope.adopt(Tensors.empty(DType.F32, device, bytes / 4));
      t.zero_();
      for (int i = 0; i < TIMES; i++) {
        world.barrier();
        before.run();
        Devices.synchronize(device);
        long begin = System.nanoTime();
        group.allReduce(t, Reduction.MEAN);
        Devices.synchronize(device);
        if (i > 0) {
          times.add((System.nanoTime() - begin) / 1e9);
        }
      }
    }
    return RankValues.median(times);
  }
}
