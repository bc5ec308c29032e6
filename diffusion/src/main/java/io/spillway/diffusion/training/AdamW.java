package io.spillway.diffusion.training;

import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Adam with decoupled weight decay and a running average of the weights, small enough to be kept
/// whole in a checkpoint.
///
/// **Source:** Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2.
final class AdamW implements AutoCloseable {
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.99;
  private static final double EPSILON = 1e-8;

  private final Map<String, Tensor> weights;
  private final TensorHolder holder = new TensorHolder();
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private long step;

  AdamW(Map<String, Tensor> weights) {
    this.weights = weights;
    TensorScope.run(() ->
        weights.forEach((name, w) -> {
          state.put("m." + name, holder.hold(torch.zeros_like(w.detach())));
          state.put("v." + name, holder.hold(torch.zeros_like(w.detach())));
          state.put("average." + name, holder.hold(w.detach().clone()));
        }));
  }

  /// First and second moments and averaged weights, by prefix `m.`, `v.`, `average.`.
  Map<String, Tensor> state() {
    return state;
  }

  long step() {
    return step;
  }

  void resumeAt(long steps) {
    step = steps;
  }

  /// One update of every weight from its gradient; gradients are cleared.
  ///
  /// @return the norm of the gradient before clipping
  double update(double rate, double decay, double clip, double averaging) {
    step++;
    double squares = 0;
    for (Tensor w : weights.values()) {
      Tensor g = w.grad();
      if (g.defined()) {
        double norm = g.norm().item_double();
        squares += norm * norm;
      }
    }
    double norm = Math.sqrt(squares);
    double shrink = Math.min(1, clip / (norm + 1e-6));
    double correct1 = 1 - Math.pow(BETA_1, step);
    double correct2 = 1 - Math.pow(BETA_2, step);
    double keep = Math.min(averaging, (1.0 + step) / (10 + step));
    weights.forEach((name, weight) -> {
      Tensor w = weight.detach();
      Tensor g = weight.grad();
      if (g.defined()) {
        g = g.mul(new Scalar(shrink));
        Tensor m = moment("m.", name).lerp_(g, new Scalar(1 - BETA_1));
        Tensor v = moment("v.", name).mul_(new Scalar(BETA_2));
        v.addcmul_(g, g, new Scalar(1 - BETA_2));
        Tensor root = v.sqrt().mul_(new Scalar(1 / Math.sqrt(correct2))).add_(new Scalar(EPSILON));
        if (w.dim() > 1) {
          w.mul_(new Scalar(1 - rate * decay));
        }
        w.addcdiv_(m, root, new Scalar(-rate / correct1));
        weight.mutable_grad().zero_();
      }
      moment("average.", name).lerp_(w, new Scalar(1 - keep));
    });
    return norm;
  }

  private Tensor moment(String kind, String name) {
    return java.util.Objects.requireNonNull(state.get(kind + name));
  }

  @Override
  public void close() {
    state.clear();
    holder.close();
  }
}
