package io.spillway.diffusion.model;

import io.spillway.tensor.Operators;
import java.util.List;
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
  /// softmax(q k^T / sqrt(width) + bias) v with the logarithm of its denominator.
  ///
  /// **Shapes:** q, k, v [batch, heads, tokens, width]; bias broadcastable to [batch, heads,
  /// queries, keys] or none.
  public static PartialAttention of(Tensor q, Tensor k, Tensor v, @Nullable Tensor bias) {
    if (!q.is_cuda()) {
      return onCpu(q, k, v, bias);
    }
    return bias == null && q.element_size() == 2
        ? FastestKernel.partial(q, k, v)
        : efficient(q, k, v, bias);
  }

  private static PartialAttention onCpu(Tensor q, Tensor k, Tensor v, @Nullable Tensor bias) {
    return of(
        q,
        Operators.call(
            "_scaled_dot_product_flash_attention_for_cpu",
            2,
            q,
            k,
            v,
            0.0, // dropout
            false, // causal
            bias == null ? Operators.none() : bias,
            Operators.none())); // scale
  }

  static PartialAttention flash(Tensor q, Tensor k, Tensor v) {
    return of(
        q,
        Operators.call(
            "_scaled_dot_product_flash_attention",
            2,
            q,
            k,
            v,
            0.0,
            false,
            false, // debug mask
            Operators.none()));
  }

  static PartialAttention cudnn(Tensor q, Tensor k, Tensor v) {
    return of(
        q,
        Operators.call(
            "_scaled_dot_product_cudnn_attention",
            2,
            q,
            k,
            v,
            Operators.none(), // bias
            true, // the log sum
            0.0,
            false,
            false,
            Operators.none()));
  }

  private static PartialAttention efficient(Tensor q, Tensor k, Tensor v, @Nullable Tensor bias) {
    Object mask =
        bias == null
            ? Operators.none()
            : aligned(bias).expand(q.size(0), q.size(1), q.size(2), k.size(2));
    return of(
        q,
        Operators.call(
            "_scaled_dot_product_efficient_attention",
            2,
            q,
            k,
            v,
            mask,
            true, // the log sum
            0.0,
            false,
            Operators.none()));
  }

  /// Some kernels hand back sums for more rows than there are queries, or with one more axis.
  private static PartialAttention of(Tensor q, List<Tensor> results) {
    Tensor sums = results.get(1);
    long batch = q.size(0);
    long heads = q.size(1);
    Tensor rows = sums.reshape(batch, heads, -1);
    return new PartialAttention(results.get(0), rows.narrow(2, 0, q.size(2)));
  }

  /// The kernel wants rows of a mask that begin at multiples of 8 elements.
  private static Tensor aligned(Tensor bias) {
    long keys = bias.size(3);
    long room = (keys + 15) / 16 * 16;
    if (room == keys) {
      return bias;
    }
    Tensor zeros =
        torch.zeros(
            new long[] {bias.size(0), bias.size(1), bias.size(2), room - keys}, bias.options());
    return Ops.cat(List.of(bias, zeros), 3).narrow(3, 0, keys);
  }

  /// Attention over the keys of both.
  public PartialAttention join(PartialAttention other) {
    // the other's weight is e^b / (e^a + e^b)
    Tensor share = torch.sigmoid(other.logSum.sub(logSum)).unsqueeze(3).to(out.scalar_type());
    return new PartialAttention(
        torch.lerp(out, other.out, share), torch.logaddexp(logSum, other.logSum));
  }
}
