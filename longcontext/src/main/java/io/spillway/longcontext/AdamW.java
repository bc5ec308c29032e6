package io.spillway.longcontext;

import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// AdamW over many tensors as one flat f32 master copy with flat moments, so that a step costs a
/// dozen operations and no look at the device's values. The tensors themselves may be bf16.
///
/// **Source:** Loshchilov and Hutter; betas 0.9 and 0.95. Vectors (norms) do not decay.
public final class AdamW implements AutoCloseable {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.95;

  private final TensorHolder holder = new TensorHolder();
  private final List<Tensor> parameters;
  private final Tensor master;
  private final Tensor mean;
  private final Tensor square;

  /// How much of `rate * decay` each component feels: 1 for matrices, 0 for vectors.
  private final Tensor decays;

  private final double decay;

  /// @param parameters leaves on one device; they are asked for gradients from now on
  public AdamW(List<Tensor> parameters, double decay) {
    this.parameters = List.copyOf(parameters);
    this.decay = decay;
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      TensorVector flat = new TensorVector();
      TensorVector flags = new TensorVector();
      for (Tensor p : parameters) {
        Tensor values = Tensors.to(p.detach().reshape(-1), DType.F32);
        flat.push_back(values);
        flags.push_back(
            torch.full(
                new long[] {values.numel()}, new Scalar(p.dim() > 1 ? 1.0 : 0), values.options()));
        p.set_requires_grad(true);
      }
      master = holder.hold(torch.cat(flat, 0));
      decays = holder.hold(torch.cat(flags, 0));
      mean = holder.hold(torch.zeros_like(master));
      square = holder.hold(torch.zeros_like(master));
    }
  }

  /// What a checkpoint must hold, by name.
  public Map<String, Tensor> state() {
    return Map.of("adamw.master", master, "adamw.mean", mean, "adamw.square", square);
  }

  /// Takes over what [#state] gave, and sets the parameters.
  public void restore(Map<String, Tensor> saved) {
    try (NoGrad guard = NoGrad.begin()) {
      state()
          .forEach((name, tensor) -> {
            Tensor from = saved.get(name);
            if (from == null || from.numel() != tensor.numel()) {
              throw new IllegalArgumentException("no fitting " + name + " in the checkpoint");
            }
            tensor.copy_(from);
          });
      publish();
    }
  }

  /// All gradients as one f32 vector; the gradients are zero afterwards.
  private Tensor gradient() {
    TensorVector parts = new TensorVector();
    for (Tensor p : parameters) {
      parts.push_back(p.grad().reshape(-1));
    }
    Tensor flat = Tensors.to(torch.cat(parts, 0), DType.F32);
    for (Tensor p : parameters) {
      p.grad().zero_();
    }
    return flat;
  }

  /// One step with every gradient component clipped to `bound` in size.
  ///
  /// @param step steps done before this one
  public void stepClippedByValue(int step, double rate, double bound) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      step(
          step,
          rate,
          gradient()
              .clamp_(
                  new ScalarOptional(new Scalar(-bound)), new ScalarOptional(new Scalar(bound))));
    }
  }

  /// One step with all gradients scaled so that their joint norm is at most `bound`. A step whose
  /// gradient is not finite changes nothing but the decay.
  ///
  /// @param step steps done before this one
  public void stepClippedByNorm(int step, double rate, double bound) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      DoubleOptional zero = new DoubleOptional(0.0);
      Tensor flat = gradient().nan_to_num_(zero, zero, zero);
      Tensor factor =
          flat.norm()
              .add_(new Scalar(1e-12))
              .reciprocal_()
              .mul_(new Scalar(bound))
              .clamp_max(new Scalar(1.0));
      step(step, rate, flat.mul_(factor));
    }
  }

  private void step(int step, double rate, Tensor gradient) {
    double correction1 = 1 - Math.pow(BETA1, step + 1.0);
    double correction2 = 1 - Math.pow(BETA2, step + 1.0);
    mean.mul_(new Scalar(BETA1)).add_(gradient, new Scalar(1 - BETA1));
    square.mul_(new Scalar(BETA2)).addcmul_(gradient, gradient, new Scalar(1 - BETA2));
    master.addcmul_(master, decays, new Scalar(-rate * decay));
    Tensor size = square.sqrt().mul_(new Scalar(1 / Math.sqrt(correction2)));
    master.addcdiv_(mean, size.add_(new Scalar(1e-8)), new Scalar(-rate / correction1));
    publish();
  }

  /// Copies the master into the parameters.
  private void publish() {
    try (TensorScope scope = TensorScope.open()) {
      long at = 0;
      for (Tensor p : parameters) {
        Tensor values = p.detach();
        values.copy_(master.narrow(0, at, p.numel()).view_as(values));
        at += p.numel();
      }
    }
  }

  /// The f32 master copy of the parameter at `index`, a view.
  public Tensor master(int index) {
    long at = 0;
    for (int i = 0; i < index; i++) {
      at += parameters.get(i).numel();
    }
    Tensor p = parameters.get(index);
    return master.narrow(0, at, p.numel()).view_as(p.detach());
  }

  @Override
  public void close() {
    holder.close();
  }
}
