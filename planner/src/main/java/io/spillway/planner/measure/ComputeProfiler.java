package io.spillway.planner.measure;

import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Measures blocks, embedding and logits of the small GPT without any communication, on all
/// processes at once, so that what they take from each other is in the figures.
public final class ComputeProfiler {
  /// Blocks that are timed with and without sums.
  private static final int BLOCKS = 8;

  /// Two forward, two backward.
  private static final int SUMS_OF_BLOCK = 4;

  private static final int CLOSINGS = 8;

  private final ProcessGroup world;
  private final GptShape shape;
  private final double secondsEach;
  private final RankValues values;

  public ComputeProfiler(ProcessGroup world, GptShape shape, double secondsEach) {
    this.world = world;
    this.shape = shape;
    this.secondsEach = secondsEach;
    values = new RankValues(world, Devices.cpu());
  }

  /// Measures; every process gets the mean over all.
  ///
  /// @param partitions groups whose sums are measured, each with the sizes of `microBatches`
  /// @param reductions groups that average gradients, and of how many bytes
  public ComputeProfile run(
      List<Integer> tensorWays,
      List<Integer> microBatches,
      List<List<List<Integer>>> partitions,
      List<Exchange> reductions) {
    stage(1, microBatches.getFirst(), 1, true, true, world.size()); // warms the code up
    stage(1, microBatches.getFirst(), 1, true, true, world.size());
    int all = shape.layers();
    List<ComputeProfile.Entry> entries = new ArrayList<>();
    for (int tp : tensorWays) {
      for (int b : microBatches) {
        double[] middle = stage(tp, b, 1, false, false, world.size());
        double[] tall = all > 1 ? stage(tp, b, all, false, false, world.size()) : middle;
        double[] first = stage(tp, b, 1, true, false, world.size());
        double[] last = stage(tp, b, 1, false, true, world.size());
        entries.add(
            new ComputeProfile.Entry(
                tp,
                b,
                middle[0],
                middle[1],
                Math.max(0, tall[0] - middle[0]) / Math.max(1, all - 1),
                Math.max(0, tall[1] - middle[1]) / Math.max(1, all - 1),
                Math.max(0, first[0] - middle[0]),
                Math.max(0, first[1] - middle[1]),
                Math.max(0, last[0] - middle[0]),
                Math.max(0, last[1] - middle[1])));
      }
    }
    List<Double> slowdown = new ArrayList<>();
    for (int active = 1; active <= world.size(); active++) {
      double[] times = stage(1, microBatches.getLast(), 1, false, false, active);
      slowdown.add(times[0] + times[1]);
    }
    double together = slowdown.getLast();
    List<ComputeProfile.Sum> sums = new ArrayList<>();
    for (List<List<Integer>> partition : partitions) {
      sums.addAll(sums(partition, microBatches));
    }
    return new ComputeProfile(
        entries,
        update(),
        slowdown.stream().map(x -> x / together).toList(),
        sums,
        reductions(reductions, microBatches.getFirst()),
        new HandOffProfiler(world, shape).run(microBatches),
        closing(microBatches.getFirst()));
  }

  /// What a sum over the groups of one partition adds to a block, all groups at once, while each
  /// process runs it forward and backward as in training. Waiting for a peer that is late is part
  /// of it; compute that a share of a core allows sooner after a wait is taken off, which the time
  /// of the sums alone would not show.
  private List<ComputeProfile.Sum> sums(List<List<Integer>> partition, List<Integer> microBatches) {
    List<ComputeProfile.Sum> sums = new ArrayList<>();
    int ways = partition.getFirst().size();
    try (ProcessGroup group = world.split(partition)) {
      for (int b : microBatches) {
        double[] alone = block(ways, b, x -> {});
        double[] added = block(ways, b, partial -> group.allReduce(partial, Reduction.SUM));
        for (List<Integer> g : partition) {
          double mean =
              g.stream()
                  .mapToDouble(r -> Math.max(0, added[r] - alone[r]) / SUMS_OF_BLOCK)
                  .average()
                  .orElseThrow();
          sums.add(new ComputeProfile.Sum(g, b * shape.residualBytes(), mean));
        }
      }
      world.barrier();
    }
    return sums;
  }

  /// Seconds of a block, forward and backward, on each process.
  private double[] block(int ways, int microBatch, Consumer<Tensor> sum) {
    List<Double> times = new ArrayList<>();
    try (Block block = new Block(shape, ways, microBatch, sum)) {
      world.barrier();
      for (int i = 0; i <= BLOCKS; i++) {
        long begin = System.nanoTime();
        block.run();
        times.add((System.nanoTime() - begin) / 1e9);
      }
    }
    return values.all(middle(times.subList(1, times.size())));
  }

  private List<ComputeProfile.Sum> reductions(List<Exchange> exchanges, int microBatch) {
    try (Block block = new Block(shape, 1, microBatch, x -> {})) {
      return new ReductionProfiler(world, Devices.cpu(), block::run).run(exchanges);
    }
  }

  /// What every iteration ends with: the losses are added and all meet, behind compute.
  private double closing(int microBatch) {
    List<Double> times = new ArrayList<>();
    try (Block block = new Block(shape, 1, microBatch, x -> {});
        TensorScope scope = TensorScope.open()) {
      Tensor loss = scope.adopt(Tensors.of(new double[] {0}, 1));
      for (int i = 0; i < CLOSINGS; i++) {
        world.barrier();
        block.run();
        long begin = System.nanoTime();
        world.allReduce(loss, Reduction.SUM);
        world.barrier();
        times.add((System.nanoTime() - begin) / 1e9);
      }
    }
    return values.mean(RankValues.median(times.subList(1, CLOSINGS)));
  }

  /// The mean without the smallest and the largest eighth.
  private static double middle(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int cut = sorted.length / 8;
    return Arrays.stream(sorted, cut, sorted.length - cut).average().orElseThrow();
  }

  /// Median seconds {forward, backward} of a stage of some blocks on the first `active` processes,
  /// averaged over them; the others wait.
  private double[] stage(
      int tp, int microBatch, int blocks, boolean first, boolean last, int active) {
    List<Double> forward = new ArrayList<>();
    List<Double> backward = new ArrayList<>();
    if (world.rank() >= active) {
      world.barrier();
      return new double[] {values.mean(0, active), values.mean(0, active)};
    }
    try (TensorScope scope = TensorScope.open();
        GptStage stage =
            new GptStage(shape, Devices.cpu(), 0, blocks, first, last, tp, 0, 1, x -> {})) {
      Tensor tokens = scope.adopt(Tensors.of(tokens(microBatch), microBatch, shape.sequence()));
      Tensor input =
          first
              ? tokens
              : scope.adopt(
                  torch.randn(
                      new long[] {microBatch, shape.sequence(), shape.hidden()},
                      Tensors.options(DType.F32)));
      Tensor gradient =
          scope.adopt(
              torch.randn(
                  new long[] {microBatch, shape.sequence(), shape.hidden()},
                  Tensors.options(DType.F32)));
      world.barrier();
      long end = System.nanoTime() + (long) (secondsEach * 1e9);
      for (int i = 0; i < 4 || System.nanoTime() < end && i < 200; i++) {
        try (TensorScope inner = TensorScope.open()) {
          long begin = System.nanoTime();
          inner.adopt(stage.forward(0, input, tokens, 1));
          long middle = System.nanoTime();
          inner.adopt(stage.backward(0, last ? null : gradient));
          long done = System.nanoTime();
          if (i > 0) {
            forward.add((middle - begin) / 1e9);
            backward.add((done - middle) / 1e9);
          }
        }
      }
    }
    return new double[] {
      values.mean(RankValues.median(forward), active),
      values.mean(RankValues.median(backward), active)
    };
  }

  /// Seconds of the optimizer's work for each byte of weights.
  private double update() {
    List<Double> times = new ArrayList<>();
    long elements = shape.layerBytes(1) / 4;
    try (NoGrad guard = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert guard != null;
      Tensor w = scope.adopt(torch.zeros(new long[] {elements}, Tensors.options(DType.F32)));
      Tensor g = scope.adopt(torch.zeros(new long[] {elements}, Tensors.options(DType.F32)));
      world.barrier();
      for (int i = 0; i < 6; i++) {
        try (TensorScope inner = TensorScope.open()) {
          long begin = System.nanoTime();
          Tensor flat = inner.adopt(GptLayer.concat(List.of(g, g)));
          w.sub_(flat.narrow(0, 0, elements), new Scalar(0.1));
          g.zero_();
          times.add((System.nanoTime() - begin) / 1e9);
        }
      }
    }
    return values.mean(RankValues.median(times)) / shape.layerBytes(1);
  }

  private long[] tokens(int microBatch) {
    long[] tokens = new long[microBatch * shape.sequence()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = i * 7L % shape.vocabulary();
    }
    return tokens;
  }
}
