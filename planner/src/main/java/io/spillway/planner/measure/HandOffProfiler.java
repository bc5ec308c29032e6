package io.spillway.planner.measure;

import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Measures messages of the residual stream as stages send them: the sender has just computed half
/// a block, the receiver waits for it. Where a process has a share of a core, a sender that has
/// spent it is late, which an idle pair of [LinkProfiler] does not show.
final class HandOffProfiler {
  private static final int TAG = 800_000;
  private static final int TIMES = 14;

  private final ProcessGroup world;
  private final GptShape shape;

  HandOffProfiler(ProcessGroup world, GptShape shape) {
    this.world = world;
    this.shape = shape;
  }

  /// The pairs of one round, the lower number sends.
  List<ComputeProfile.HandOff> run(List<Integer> microBatches) {
    List<ComputeProfile.HandOff> all = new ArrayList<>();
    if (world.size() < 2) {
      return all;
    }
    int[] partner = LinkProfiler.partners(0, world.size());
    int peer = partner[world.rank()];
    RankValues values = new RankValues(world, Devices.cpu());
    for (int b : microBatches) {
      world.barrier();
      double mine = peer < 0 ? 0 : measure(peer, b);
      double[] each = values.all(mine);
      for (int r = 0; r < partner.length; r++) {
        if (partner[r] > r) {
          all.add(new ComputeProfile.HandOff(r, partner[r], b * shape.residualBytes(), each[r]));
        }
      }
    }
    return all;
  }

  /// On the sender the seconds from the end of compute until the four bytes that answer the message
  /// are back, less half an idle round trip of four bytes.
  private double measure(int peer, int b) {
    boolean sender = world.rank() < peer;
    List<Double> times = new ArrayList<>();
    try (TensorHolder weights = new TensorHolder();
        NoGrad guard = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert guard != null;
      GptLayer layer = new GptLayer(shape, Devices.cpu(), 0, 1, 0, 1, weights);
      Tensor x =
          scope.adopt(
              GptLayer.normal(shape, Devices.cpu(), 1, b, shape.sequence(), shape.hidden()));
      Tensor small = scope.adopt(Tensors.empty(DType.F32, 1));
      small.zero_();
      List<Double> idle = new ArrayList<>();
      Tensor in = scope.adopt(residual(b));
      for (int i = 0; i < TIMES; i++) {
        idle.add(exchange(small, small, peer, sender) / 2);
        try (TensorScope inner = TensorScope.open()) {
          inner.adopt(small.clone());
          Tensor out = sender ? layer.feedForward(x) : in;
          times.add(exchange(out, small, peer, sender));
        }
      }
      return sender ? Math.max(0, mean(times) - mean(idle)) : 0;
    }
  }

  private Tensor residual(int b) {
    return Tensors.empty(DType.F32, b, shape.sequence(), shape.hidden());
  }

  private double exchange(Tensor message, Tensor small, int peer, boolean sender) {
    long begin = System.nanoTime();
    if (sender) {
      world.send(message, peer, TAG);
      world.receive(small, peer, TAG + 1);
    } else {
      world.receive(message, peer, TAG);
      world.send(small, peer, TAG + 1);
    }
    return (System.nanoTime() - begin) / 1e9;
  }

  /// Without the first, which warms up. Delays of spent shares come in steps, so that the mean
  /// tells what the median hides.
  private static double mean(List<Double> values) {
    return values.stream().skip(1).mapToDouble(Double::doubleValue).average().orElse(0);
  }
}
