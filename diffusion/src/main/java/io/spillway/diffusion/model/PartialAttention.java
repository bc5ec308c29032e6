package io.spillway.diffusion.model;

import io.spillway.tensor.TensorScope;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Attention over some of the keys, so that the results over disjoint sets of keys can be joined to
/// what one attention over all of them gives.
///
/// @param out [batch, heads, queries, width]
/// @param logSum log of the sum of the exponentiated logits, [batch, heads, queries] f32
///   **Source:** Dao et al., "FlashAttention", section 3.1; the kernels are libtorch's.
public record PartialAttention(Tensor out, Tensor logSum) {
  private static final OperatorHandle ON_CPU =
      find("aten::_scaled_dot_product_flash_attention_for_cpu");
  private static final OperatorHandle FLASH = find("aten::_scaled_dot_product_flash_attention");
  private static final OperatorHandle EFFICIENT =
      find("aten::_scaled_dot_product_efficient_attention");

  private static OperatorHandle find(String name) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      OperatorHandle handle = Dispatcher.singleton().findSchemaOrThrow(name, "");
      handle.retainReference(); // for the life of the process
      return handle;
    }
  }

  /// softmax(q k^T / sqrt(width) + bias) v with the logarithm of its denominator.
  ///
  /// **Shapes:** q, k, v [batch, heads, tokens, width]; bias broadcastable to [batch, heads,
  /// queries, keys] or none.
  public static PartialAttention of(Tensor q, Tensor k, Tensor v, @Nullable Tensor bias) {
    if (!q.is_cuda()) {
      return call(
          ON_CPU,
          new IValue(q),
          new IValue(k),
          new IValue(v),
          new IValue(0.0), // dropout
          new IValue(false), // causal
          bias == null ? new IValue() : new IValue(bias),
          new IValue()); // scale
    }
    if (bias == null && q.element_size() == 2) {
      return call(
          FLASH,
          new IValue(q),
          new IValue(k),
          new IValue(v),
          new IValue(0.0),
          new IValue(false),
          new IValue(false), // debug mask
          new IValue());
    }
    long keys = k.size(2);
    Tensor mask = bias == null ? null : aligned(bias).expand(q.size(0), q.size(1), q.size(2), keys);
    PartialAttention padded =
        call(
            EFFICIENT,
            new IValue(q),
            new IValue(k),
            new IValue(v),
            mask == null ? new IValue() : new IValue(mask),
            new IValue(true), // the log sum
            new IValue(0.0),
            new IValue(false),
            new IValue());
    return new PartialAttention(padded.out, padded.logSum.narrow(2, 0, q.size(2)));
  }

  /// The kernel wants rows of a mask that begin at multiples of 8 elements.
  private static Tensor aligned(Tensor bias) {
    long keys = bias.size(3);
    long room = (keys + 15) / 16 * 16;
    if (room == keys) {
      return bias;
    }
    return torch.constant_pad_nd(bias, 0, room - keys).narrow(3, 0, keys);
  }

  private static PartialAttention call(OperatorHandle kernel, IValue... arguments) {
    IValueVector stack = new IValueVector(arguments);
    kernel.callBoxed(stack);
    return new PartialAttention(stack.get(0).toTensor(), stack.get(1).toTensor());
  }

  /// Attention over the keys of both.
  public PartialAttention join(PartialAttention other) {
    // the other's weight is e^b / (e^a + e^b)
    Tensor share = torch.sigmoid(other.logSum.sub(logSum)).unsqueeze(3).to(out.scalar_type());
    return new PartialAttention(
        torch.lerp(out, other.out, share), torch.logaddexp(logSum, other.logSum));
  }
}
