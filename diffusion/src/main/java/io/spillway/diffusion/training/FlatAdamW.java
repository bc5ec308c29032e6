package io.spillway.diffusion.training;

import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Adam with decoupled weight decay over one flat vector, so that an update costs a dozen operators
/// whatever the number of layers, and never waits for the device.
///
/// The master weights, both moments and the running average are f32; the network computes with
/// leaves over a flat copy in the computing type (over the master itself if that is f32), and
/// autograd adds each gradient in place to its part of one flat gradient.
///
/// **Source:** Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2; the
/// average is the power function of Karras et al., "Analyzing and Improving the Training Dynamics
/// of Diffusion Models", equation 3: it covers a fixed share of the run and needs no correction of
/// its beginning, as the first step's weight of the past is 0.
final class FlatAdamW implements AutoCloseable {
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.99;
  private static final double EPSILON = 1e-8;

  /// The average's deviation is about 0.05 of the run.
  private static final double POWER = 17;

  private final TensorHolder holder = new TensorHolder();
  private final Parameters leaves;
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Tensor master;
  private final Tensor first;
  private final Tensor second;
  private final Tensor average;
  private final Tensor compute;
  private final Tensor gradient;
  private final long decayed; // matrices come first
  private long step;

  FlatAdamW(Parameters initial, ComputeDevice device, DType type) {
    List<Map.Entry<String, Tensor>> order = new ArrayList<>(initial.tensors().entrySet());
    order.sort(java.util.Comparator.comparing(e -> e.getValue().dim() > 1 ? 0 : 1)); // stable
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      List<Tensor> parts = new ArrayList<>();
      long matrices = 0;
      for (Map.Entry<String, Tensor> e : order) {
        parts.add(Tensors.to(e.getValue().detach(), device, DType.F32).reshape(-1));
        matrices += e.getValue().dim() > 1 ? e.getValue().numel() : 0;
        shapes.put(e.getKey(), Tensors.shape(e.getValue()));
      }
      this.decayed = matrices;
      this.master = keep("master", Ops.cat(parts, 0).clone());
      this.first = keep("first", torch.zeros_like(master));
      this.second = keep("second", torch.zeros_like(master));
      this.average = keep("average", master.clone());
      this.compute =
          type == DType.F32 ? master : holder.hold(Tensors.to(master, device, type).clone());
      this.gradient = holder.hold(torch.zeros_like(compute));
      Map<String, Tensor> grads = views(gradient);
      Map<String, Tensor> own = new LinkedHashMap<>();
      views(compute)
          .forEach((name, view) -> {
            Tensor leaf = view.detach();
            leaf.requires_grad_(true);
            leaf.mutable_grad().put(java.util.Objects.requireNonNull(grads.get(name)));
            own.put(name, leaf);
          });
      this.leaves = Parameters.holding(own);
    }
  }

  private Tensor keep(String name, Tensor t) {
    state.put(name, holder.hold(t));
    return t;
  }

  /// What the network computes with; gradients gather here.
  Parameters parameters() {
    return leaves;
  }

  /// Each parameter's part of a flat vector, under its name and in its shape.
  private Map<String, Tensor> views(Tensor flat) {
    Map<String, Tensor> views = new LinkedHashMap<>();
    long offset = 0;
    for (Map.Entry<String, long[]> e : shapes.entrySet()) {
      long count = 1;
      for (long s : e.getValue()) {
        count *= s;
      }
      views.put(e.getKey(), flat.narrow(0, offset, count).view(e.getValue()));
      offset += count;
    }
    return views;
  }

  /// The averaged weights by name; they belong to the innermost scope.
  Map<String, Tensor> averaged() {
    return views(average);
  }

  /// Flat vectors `master`, `first`, `second`, `average`: all that a checkpoint needs.
  Map<String, Tensor> state() {
    return java.util.Collections.unmodifiableMap(state);
  }

  long step() {
    return step;
  }

  /// Goes on from restored vectors.
  void resumeAt(long steps) {
    step = steps;
    TensorScope.run(() -> {
      if (compute != master) {
        compute.copy_(master);
      }
    });
  }

  /// One update of every weight from the gathered gradients, which are cleared.
  void update(double rate, double decay, double clip) {
    step++;
    double correct1 = 1 - Math.pow(BETA_1, step);
    double correct2 = 1 - Math.pow(BETA_2, step);
    Tensor g = Tensors.to(gradient, DType.F32);
    Tensor shrink = g.norm().clamp_min(new Scalar(clip)).reciprocal().mul(new Scalar(clip));
    g = g.mul(shrink);
    first.lerp_(g, new Scalar(1 - BETA_1));
    second.mul_(new Scalar(BETA_2)).addcmul_(g, g, new Scalar(1 - BETA_2));
    Tensor root = second.sqrt().mul_(new Scalar(1 / Math.sqrt(correct2))).add_(new Scalar(EPSILON));
    master.narrow(0, 0, decayed).mul_(new Scalar(1 - rate * decay));
    master.addcdiv_(first, root, new Scalar(-rate / correct1));
    average.lerp_(master, new Scalar(1 - Math.pow(1 - 1.0 / step, POWER)));
    if (compute != master) {
      compute.copy_(master);
    }
    gradient.zero_();
  }

  @Override
  public void close() {
    leaves.close();
    holder.close();
  }
}
