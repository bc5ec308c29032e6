package io.spillway.planner.measure;

import io.spillway.platform.Seeds;
import io.spillway.tensor.ComputeDevice;
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
import org.bytedeco.pytorch.global.torch;

/// Trains the small GPT on one process of a job: 1F1B over the pipeline with point-to-point sends,
/// tensor-parallel sums inside blocks, gradients averaged over the replicas at the end of each
/// iteration, plain gradient descent. Gloo moves what lies on CPUs, NCCL what lies on GPUs.
///
/// Whatever the cut, the same seed gives the same weights, data and losses but for rounding.
public final class GptTrainer implements AutoCloseable {
  private final GptShape shape;
  private final ComputeDevice device;
  private final Cut cut;
  private final long seed;
  private final ProcessGroup world;
  private final ProcessGroup tensor;
  private final ProcessGroup data;
  private final Neighbours neighbours;
  private final GptStage stage;
  private final int t;
  private final int d;
  private final int p;

  /// Every process calls it with the same arguments but for its own device.
  public GptTrainer(ProcessGroup world, ComputeDevice device, GptShape shape, Cut cut, long seed) {
    this.world = world;
    this.device = device;
    this.shape = shape;
    this.cut = cut;
    this.seed = seed;
    int rank = cut.process().indexOf(world.rank());
    t = rank % cut.tp();
    d = rank / cut.tp() % cut.dp();
    p = rank / cut.tp() / cut.dp();
    tensor = world.split(cut.tensorGroups());
    data = world.split(cut.dataGroups());
    neighbours = new Neighbours(world, cut, p);
    stage =
        new GptStage(
            shape,
            device,
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
      Tensor loss = scope.adopt(pipeline(step));
      if (t > 0) {
        loss.zero_();
      }
      descend(rate);
      world.allReduce(loss, Reduction.SUM);
      return Tensors.doubles(loss)[0] / cut.dp();
    }
  }

  /// 1F1B: as many forward passes as stages follow, then one backward after each forward. The
  /// result is this process's loss, f64 [1].
  private Tensor pipeline(int step) {
    try (TensorScope scope = TensorScope.open()) {
      int n = cut.microBatches();
      int warmup = Math.min(n, cut.pp() - 1 - p);
      List<Pending> sends = new ArrayList<>();
      Tensor loss = scope.adopt(torch.zeros(new long[] {1}, Tensors.options(DType.F64, device)));
      Tensor[] batch = batch(step);
      for (int m = 0; m < warmup; m++) {
        forward(batch, m, loss, sends);
      }
      for (int m = 0; m < n; m++) {
        if (warmup + m < n) {
          forward(batch, warmup + m, loss, sends);
        }
        backward(m, sends);
      }
      sends.forEach(Pending::await);
      return scope.keep(loss);
    }
  }

  private void forward(Tensor[] batch, int micro, Tensor loss, List<Pending> sends) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor input = batch[0].select(0, micro);
      Tensor target = batch[1].select(0, micro);
      if (p > 0) {
        input = residual();
        neighbours.receiveForward(input, t, d, micro);
      }
      Tensor out = scope.adopt(stage.forward(micro, input, target, 1.0 / cut.microBatches()));
      if (p < cut.pp() - 1) {
        sends.add(neighbours.sendForward(out.contiguous(), t, d, micro));
      } else {
        loss.add_(Tensors.to(out, DType.F64).reshape(1)); // stays on the device
      }
    }
  }

  private void backward(int micro, List<Pending> sends) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor gradient = null;
      if (p < cut.pp() - 1) {
        gradient = residual();
        neighbours.receiveBackward(gradient, t, d, micro);
      }
      Tensor back = scope.adopt(stage.backward(micro, gradient));
      if (p > 0) {
        sends.add(neighbours.sendBackward(back.contiguous(), t, d, micro));
      }
    }
  }

  private Tensor residual() {
    return Tensors.empty(shape.type(), device, cut.microBatch(), shape.sequence(), shape.hidden());
  }

  /// Token numbers and the next ones of one iteration: steps of a walk that can be learned. All of
  /// them are moved to the device at once, before the pipeline starts.
  ///
  /// **Shapes:** [micro-batches, micro-batch, sequence].
  private Tensor[] batch(int step) {
    int rows = cut.microBatches() * cut.microBatch();
    long[] input = new long[rows * shape.sequence()];
    long[] target = new long[input.length];
    for (int i = 0; i < rows; i++) {
      int sample = d * rows + i;
      RandomGenerator random =
          new Seeds(seed).stream("data", (long) step * cut.globalBatch() + sample);
      long token = random.nextInt(shape.vocabulary());
      for (int j = 0; j < shape.sequence(); j++) {
        input[i * shape.sequence() + j] = token;
        token = (token * 5 + 1 + random.nextInt(3)) % shape.vocabulary();
        target[i * shape.sequence() + j] = token;
      }
    }
    return new Tensor[] {onDevice(input), onDevice(target)};
  }

  private Tensor onDevice(long[] tokens) {
    return Tensors.to(
        Tensors.of(tokens, cut.microBatches(), cut.microBatch(), shape.sequence()), device);
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
    neighbours.close();
    data.close();
    tensor.close();
  }
}
