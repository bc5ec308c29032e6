package io.spillway.planner.measure;

import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.Pending;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// Trains the small GPT on one process of a job: 1F1B over the pipeline with point-to-point sends,
/// tensor-parallel sums inside blocks, gradients averaged over the replicas at the end of each
/// iteration, plain gradient descent.
///
/// Whatever the cut, the same seed gives the same weights, data and losses but for rounding.
public final class GptTrainer implements AutoCloseable {
  private final GptShape shape;
  private final Cut cut;
  private final long seed;
  private final ProcessGroup world;
  private final ProcessGroup tensor;
  private final ProcessGroup data;
  private final GptStage stage;
  private final int t;
  private final int d;
  private final int p;

  /// Every process calls it with the same arguments.
  public GptTrainer(ProcessGroup world, GptShape shape, Cut cut, long seed) {
    this.world = world;
    this.shape = shape;
    this.cut = cut;
    this.seed = seed;
    int rank = cut.process().indexOf(world.rank());
    t = rank % cut.tp();
    d = rank / cut.tp() % cut.dp();
    p = rank / cut.tp() / cut.dp();
    tensor = world.split(cut.tensorGroups());
    data = world.split(cut.dataGroups());
    stage =
        new GptStage(
            shape,
            cut.firstLayer(p, shape.layers()),
            cut.layersOf(p, shape.layers()),
            p == 0,
            p == cut.pp() - 1,
            cut.tp(),
            t,
            seed,
            x -> {
              if (cut.tp() > 1) {
                tensor.allReduce(x, Reduction.SUM);
              }
            });
  }

  /// One iteration.
  ///
  /// @param step its number, which chooses the data
  /// @param rate the learning rate
  /// @return the loss over the global batch, the same on every process
  public double step(int step, double rate) {
    try (TensorScope scope = TensorScope.open()) {
      double mine = pipeline(step);
      descend(rate);
      Tensor loss = scope.adopt(Tensors.of(new double[] {t == 0 ? mine : 0}, 1));
      world.allReduce(loss, Reduction.SUM);
      return Tensors.doubles(loss)[0] / cut.dp();
    }
  }

  /// 1F1B: as many forward passes as stages follow, then one backward after each forward.
  private double pipeline(int step) {
    int n = cut.microBatches();
    int warmup = Math.min(n, cut.pp() - 1 - p);
    List<Pending> sends = new ArrayList<>();
    double loss = 0;
    for (int m = 0; m < warmup; m++) {
      loss += forward(step, m, sends);
    }
    for (int m = 0; m < n; m++) {
      if (warmup + m < n) {
        loss += forward(step, warmup + m, sends);
      }
      backward(m, sends);
    }
    sends.forEach(Pending::await);
    return loss;
  }

  private double forward(int step, int micro, List<Pending> sends) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor[] batch = batch(step, micro);
      Tensor input = batch[0];
      if (p > 0) {
        input = residual();
        world.receive(input, cut.process(t, d, p - 1), 2 * micro);
      }
      Tensor out = stage.forward(micro, input, batch[1], 1.0 / cut.microBatches());
      scope.adopt(out);
      if (p < cut.pp() - 1) {
        sends.add(world.sendAsync(out.contiguous(), cut.process(t, d, p + 1), 2 * micro));
        return 0;
      }
      return out.item_float();
    }
  }

  private void backward(int micro, List<Pending> sends) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor gradient = null;
      if (p < cut.pp() - 1) {
        gradient = residual();
        world.receive(gradient, cut.process(t, d, p + 1), 2 * micro + 1);
      }
      Tensor back = scope.adopt(stage.backward(micro, gradient));
      if (p > 0) {
        sends.add(world.sendAsync(back.contiguous(), cut.process(t, d, p - 1), 2 * micro + 1));
      }
    }
  }

  private Tensor residual() {
    return Tensors.empty(DType.F32, cut.microBatch(), shape.sequence(), shape.hidden());
  }

  /// Token numbers and the next ones of one micro-batch: steps of a walk that can be learned.
  private Tensor[] batch(int step, int micro) {
    int b = cut.microBatch();
    long[] input = new long[b * shape.sequence()];
    long[] target = new long[input.length];
    for (int i = 0; i < b; i++) {
      int sample = (d * cut.microBatches() + micro) * b + i;
      RandomGenerator random =
          new Seeds(seed).stream("data", (long) step * cut.globalBatch() + sample);
      long token = random.nextInt(shape.vocabulary());
      for (int j = 0; j < shape.sequence(); j++) {
        input[i * shape.sequence() + j] = token;
        token = (token * 5 + 1 + random.nextInt(3)) % shape.vocabulary();
        target[i * shape.sequence() + j] = token;
      }
    }
    return new Tensor[] {
      Tensors.of(input, b, shape.sequence()), Tensors.of(target, b, shape.sequence())
    };
  }

  /// Averages the gradients over the replicas in one message and steps down.
  private void descend(double rate) {
    try (NoGrad guard = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert guard != null;
      List<Tensor> parameters = stage.parameters();
      Tensor flat =
          scope.adopt(GptLayer.concat(parameters.stream().map(w -> w.grad().reshape(-1)).toList()));
      if (cut.dp() > 1) {
        data.allReduce(flat, Reduction.MEAN);
      }
      long at = 0;
      for (Tensor w : parameters) {
        Tensor g = flat.narrow(0, at, w.numel()).view(Tensors.shape(w));
        w.sub_(g, new Scalar(rate));
        w.grad().zero_();
        at += w.numel();
      }
    }
  }

  @Override
  public void close() {
    stage.close();
    data.close();
    tensor.close();
  }
}
