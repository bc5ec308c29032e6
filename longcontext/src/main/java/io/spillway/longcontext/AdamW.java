package io.spillway.longcontext;

import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// AdamW over a list of small tensors, with its state in the open so that it can be checkpointed.
///
/// **Source:** Loshchilov and Hutter; betas 0.9 and 0.95.
public final class AdamW implements AutoCloseable {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.95;

  private final TensorHolder holder = new TensorHolder();
  private final List<Tensor> parameters;
  private final List<Tensor> means = new ArrayList<>();
  private final List<Tensor> squares = new ArrayList<>();
  private final double decay;

  public AdamW(List<Tensor> parameters, double decay) {
    this.parameters = List.copyOf(parameters);
    this.decay = decay;
    try (TensorScope scope = TensorScope.open()) {
      for (Tensor p : parameters) {
        p.set_requires_grad(true);
        means.add(holder.hold(torch.zeros_like(p.detach())));
        squares.add(holder.hold(torch.zeros_like(p.detach())));
      }
    }
  }

  public List<Tensor> means() {
    return means;
  }

  public List<Tensor> squares() {
    return squares;
  }

  /// Clips every gradient component to `bound` in size.
  public void clipValues(double bound) {
    for (Tensor p : parameters) {
      p.grad()
          .clamp_(
              new org.bytedeco.pytorch.ScalarOptional(new Scalar(-bound)),
              new org.bytedeco.pytorch.ScalarOptional(new Scalar(bound)));
    }
  }

  /// Scales all gradients so that their joint norm is at most `bound`.
  public void clipNorm(double bound) {
    double sum = 0;
    for (Tensor p : parameters) {
      double norm = p.grad().norm().item_float();
      sum += norm * norm;
    }
    double factor = Math.min(1, bound / Math.max(1e-12, Math.sqrt(sum)));
    for (Tensor p : parameters) {
      p.grad().mul_(new Scalar(factor));
    }
  }

  /// One step, then gradients are zero again.
  ///
  /// @param step steps done before this one
  public void step(int step, double rate) {
    try (NoGrad guard = NoGrad.begin()) {
      double correction1 = 1 - Math.pow(BETA1, step + 1.0);
      double correction2 = 1 - Math.pow(BETA2, step + 1.0);
      for (int i = 0; i < parameters.size(); i++) {
        Tensor p = parameters.get(i);
        Tensor gradient = p.grad();
        Tensor mean = means.get(i).mul_(new Scalar(BETA1)).add_(gradient, new Scalar(1 - BETA1));
        Tensor square =
            squares
                .get(i)
                .mul_(new Scalar(BETA2))
                .addcmul_(gradient, gradient, new Scalar(1 - BETA2));
        if (p.dim() > 1) {
          p.mul_(new Scalar(1 - rate * decay));
        }
        Tensor size =
            square.sqrt().mul_(new Scalar(1 / Math.sqrt(correction2))).add_(new Scalar(1e-8));
        p.addcdiv_(mean, size, new Scalar(-rate / correction1));
        gradient.zero_();
      }
    }
  }

  @Override
  public void close() {
    holder.close();
  }
}
