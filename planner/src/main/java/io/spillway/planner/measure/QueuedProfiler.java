package io.spillway.planner.measure;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Measures the pieces of the small GPT on a device that queues its work, such as a GPU: several
/// passes are queued between two looks at the clock, as in training, and what one more block, the
/// embedding, the logits or a sum costs is the difference of two such times. Nothing is measured
/// with an idle device behind each piece.
public final class QueuedProfiler {
  /// Blocks of the longer and the shorter stage whose difference is one block's time.
  private static final int LONG = 3;

  private static final int SHORT = 1;
  private static final int ROUNDS = 5;
  private static final int WARMING = 3;

  private final ProcessGroup world;
  private final ComputeDevice device;
  private final GptShape shape;
  private final int passes;
  private final RankValues values;

  /// @param passes that are queued between two looks at the clock
  public QueuedProfiler(ProcessGroup world, ComputeDevice device, GptShape shape, int passes) {
    this.world = world;
    this.device = device;
    this.shape = shape;
    this.passes = passes;
    values = new RankValues(world, device);
  }

  /// Measures; every process gets the mean over all.
  ///
  /// @param partitions groups that add partial sums between blocks
  /// @param reductions groups that average gradients, and of how many bytes
  public ComputeProfile run(
      List<Integer> tensorWays,
      List<Integer> microBatches,
      List<List<List<Integer>>> partitions,
      List<Exchange> reductions) {
    for (int i = 0; i < WARMING; i++) { // the code, and the device's clocks
      stage(tensorWays.getFirst(), microBatches.getFirst(), SHORT, true, true);
    }
    List<ComputeProfile.Entry> entries = new ArrayList<>();
    for (int tp : tensorWays) {
      for (int b : microBatches) {
        entries.add(entry(tp, b));
      }
    }
    List<ComputeProfile.Sum> sums = new ArrayList<>();
    for (List<List<Integer>> partition : partitions) {
      for (int b : microBatches) {
        sums.addAll(sums(partition, b));
      }
    }
    // every device has a processor of its own, so that nobody slows another down
    List<Double> slowdown = new ArrayList<>(java.util.Collections.nCopies(world.size(), 1.0));
    return new ComputeProfile(
        entries,
        update(),
        slowdown,
        sums,
        new ReductionProfiler(world, device, () -> {}).run(reductions),
        List.of(),
        closing());
  }

  private ComputeProfile.Entry entry(int tp, int b) {
    double[] tall = stage(tp, b, LONG, false, false);
    double[] flat = stage(tp, b, SHORT, false, false);
    double[] first = stage(tp, b, SHORT, true, false);
    double[] last = stage(tp, b, SHORT, false, true);
    double forward = (tall[0] - flat[0]) / (LONG - SHORT);
    double backward = (tall[1] - flat[1]) / (LONG - SHORT);
    return new ComputeProfile.Entry(
        tp,
        b,
        forward,
        backward,
        forward,
        backward,
        Math.max(0, first[0] - flat[0]),
        Math.max(0, first[1] - flat[1]),
        Math.max(0, last[0] - flat[0]),
        Math.max(0, last[1] - flat[1]));
  }

  /// Seconds {forward, backward} of one micro-batch on a stage of some blocks.
  private double[] stage(int tp, int b, int blocks, boolean first, boolean last) {
    List<Double> forward = new ArrayList<>();
    List<Double> both = new ArrayList<>();
    try (TensorScope scope = TensorScope.open();
        GptStage stage = new GptStage(shape, device, 0, blocks, first, last, tp, 0, 1, x -> {})) {
      Tensor tokens = scope.adopt(Tensors.to(Tensors.of(tokens(b), b, shape.sequence()), device));
      Tensor gradient = scope.adopt(residual(b));
      Tensor input = first ? tokens : scope.adopt(residual(b));
      for (int round = 0; round < ROUNDS; round++) {
        world.barrier();
        forward.add(
            clock(() -> {
              TensorScope.run(() -> stage.forward(0, input, tokens, 1));
              stage.forget(0);
            }));
        both.add(
            clock(() ->
                TensorScope.run(() -> {
                  stage.forward(0, input, tokens, 1);
                  stage.backward(0, last ? null : gradient);
                })));
      }
    }
    // the first round warms up
    double f = RankValues.median(forward.subList(1, ROUNDS));
    double fb = RankValues.median(both.subList(1, ROUNDS));
    return new double[] {values.mean(f), values.mean(Math.max(0, fb - f))};
  }

  private Tensor residual(int b) {
    return GptLayer.normal(shape, device, 1, b, shape.sequence(), shape.hidden());
  }

  /// Seconds of one of `passes` runs that are queued without waiting.
  private double clock(Runnable work) {
    Devices.synchronize(device);
    long begin = System.nanoTime();
    for (int i = 0; i < passes; i++) {
      work.run();
    }
    Devices.synchronize(device);
    return (System.nanoTime() - begin) / 1e9 / passes;
  }

  /// What adding a partial sum over its group adds to half a block, all groups at once.
  private List<ComputeProfile.Sum> sums(List<List<Integer>> partition, int b) {
    int ways = partition.getFirst().size();
    List<Double> times = new ArrayList<>();
    try (ProcessGroup group = world.split(partition);
        TensorHolder weights = new TensorHolder();
        NoGrad guard = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert guard != null;
      GptLayer layer = new GptLayer(shape, device, 0, ways, 0, 1, weights);
      Tensor x = scope.adopt(residual(b));
      for (int round = 0; round < ROUNDS; round++) {
        world.barrier();
        double alone = clock(() -> halves(layer, x, partial -> {}));
        world.barrier();
        double added =
            clock(() -> halves(layer, x, partial -> group.allReduce(partial, Reduction.SUM)));
        if (round > 0) {
          times.add(Math.max(0, (added - alone) / 2));
        }
      }
      world.barrier();
    }
    double[] each = values.all(RankValues.median(times));
    List<ComputeProfile.Sum> sums = new ArrayList<>();
    for (List<Integer> g : partition) {
      double mean = g.stream().mapToDouble(r -> each[r]).average().orElseThrow();
      sums.add(new ComputeProfile.Sum(g, b * shape.residualBytes(), mean));
    }
    return sums;
  }

  private static void halves(GptLayer layer, Tensor x, java.util.function.Consumer<Tensor> add) {
    TensorScope.run(() -> {
      add.accept(layer.attention(x));
      add.accept(layer.feedForward(x));
    });
  }

  /// What every iteration ends with, on a device that has nothing left to do.
  private double closing() {
    List<Double> times = new ArrayList<>();
    try (TensorScope scope = TensorScope.open()) {
      Tensor loss = scope.adopt(Tensors.to(Tensors.of(new double[] {0}, 1), device));
      for (int i = 0; i < ROUNDS; i++) {
        world.barrier();
        long begin = System.nanoTime();
        world.allReduce(loss, Reduction.SUM);
        Tensors.doubles(loss);
        world.barrier();
        times.add((System.nanoTime() - begin) / 1e9);
      }
    }
    return values.mean(RankValues.median(times.subList(1, ROUNDS)));
  }

  /// Seconds of the optimizer's work for each byte of weights.
  private double update() {
    List<Double> times = new ArrayList<>();
    try (NoGrad guard = NoGrad.begin();
        TensorHolder weights = new TensorHolder();
        TensorScope scope = TensorScope.open()) {
      assert guard != null;
      List<Tensor> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.addAll(new GptLayer(shape, device, i, 1, 0, 1, weights).parameters());
      }
      List<Tensor> gradients = all.stream().map(w -> scope.adopt(torch.zeros_like(w))).toList();
      world.barrier();
      for (int i = 0; i < ROUNDS; i++) {
        times.add(clock(() -> TensorScope.run(() -> descend(all, gradients))));
      }
    }
    return values.mean(RankValues.median(times.subList(1, ROUNDS))) / (4 * shape.layerBytes(1));
  }

  private static void descend(List<Tensor> weights, List<Tensor> gradients) {
    Tensor flat = GptLayer.concat(gradients.stream().map(g -> g.reshape(-1)).toList());
    long at = 0;
    for (int i = 0; i < weights.size(); i++) {
      Tensor w = weights.get(i);
      w.sub_(flat.narrow(0, at, w.numel()).view(Tensors.shape(w)), new Scalar(0.0));
      gradients.get(i).zero_();
      at += w.numel();
    }
  }

  private long[] tokens(int b) {
    long[] tokens = new long[b * shape.sequence()];
    Arrays.setAll(tokens, i -> i * 7L % shape.vocabulary());
    return tokens;
  }
}
