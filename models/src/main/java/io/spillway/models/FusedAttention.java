package io.spillway.models;

import io.spillway.tensor.DType;
import io.spillway.tensor.Operators;
import io.spillway.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Softmax attention without gradients through libtorch's fused kernels, for queries that follow a
/// run of cached keys.
///
/// The cached keys are looked at in blocks that every query sees whole, the queries' own keys
/// causally; parts are joined by the logarithms of their sums. So no mask is ever built, the fused
/// kernels meet few different shapes, and the query heads of a group share their keys and values
/// without a copy where the kernel can. On the CPU bf16 is computed as f32, since the fused kernel
/// has no fast path for it.
///
/// **Shapes:** queries `[1, heads, tokens, headDim]`, keys and values `[1, kvHeads, entries,
/// headDim]`.
public final class FusedAttention {
  /// Cached keys that one call of a kernel looks at.
  static final long BLOCK = 16_384;

  /// libtorch's kernels that hand back sums beside results.
  private enum Kernel {
    CPU,
    CUDNN,
    FLASH,
    EFFICIENT
  }

  private static volatile @Nullable String whyNoCudnn;

  private FusedAttention() {}

  /// Results and the logarithms of the sums of exponentials, `[1, heads, tokens]` f32.
  private record Part(Tensor out, Tensor sums) {}

  /// What the kernel for 16-bit tensors on CUDA is, for reports.
  public static String cudaKernel() {
    String why = whyNoCudnn;
    return why == null ? "cuDNN" : "flash (cuDNN refused: " + why + ")";
  }

  /// Query `i` sees the first `past + i + 1` keys.
  public static Tensor attend(Tensor query, Tensor key, Tensor value, long past) {
    long tokens = query.size(2);
    long seenByAll = tokens == 1 ? past + 1 : past;
    Part part = null;
    for (long from = 0; from < seenByAll; from += BLOCK) {
      long count = Math.min(BLOCK, seenByAll - from);
      part =
          join(part, part(query, key.narrow(2, from, count), value.narrow(2, from, count), false));
    }
    if (part == null || tokens > 1) {
      part =
          join(part, part(query, key.narrow(2, past, tokens), value.narrow(2, past, tokens), true));
    }
    return Tensors.to(part.out(), Tensors.dtype(query));
  }

  private static Part join(@Nullable Part a, Part b) {
    if (a == null) {
      return b;
    }
    Tensor share = torch.sigmoid(a.sums().sub(b.sums())).unsqueeze(-1);
    Tensor out = torch.lerp(b.out(), a.out(), Tensors.to(share, Tensors.dtype(a.out())));
    return new Part(out, torch.logaddexp(a.sums(), b.sums()));
  }

  private static Part part(Tensor query, Tensor key, Tensor value, boolean causal) {
    return switch (kernel(query, key)) {
      case CPU ->
          rows(
              query,
              key,
              value,
              causal,
              (q, k, v) ->
                  Operators.call(
                      "_scaled_dot_product_flash_attention_for_cpu",
                      2,
                      Tensors.to(q, DType.F32),
                      Tensors.to(k, DType.F32),
                      Tensors.to(v, DType.F32),
                      0.0,
                      causal,
                      Operators.none(),
                      Operators.none()));
      case EFFICIENT ->
          rows(
              query,
              key,
              value,
              causal,
              (q, k, v) ->
                  Operators.call(
                      "_scaled_dot_product_efficient_attention",
                      2,
                      q,
                      k,
                      v,
                      Operators.none(),
                      true,
                      0.0,
                      causal,
                      Operators.none()));
      case CUDNN -> {
        try {
          yield part(
              query,
              Operators.call(
                  "_scaled_dot_product_cudnn_attention",
                  2,
                  query,
                  key,
                  value,
                  Operators.none(),
                  true,
                  0.0,
                  causal,
                  false,
                  Operators.none()));
        } catch (RuntimeException e) {
          whyNoCudnn = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
          yield flash(query, key, value, causal);
        }
      }
      case FLASH -> flash(query, key, value, causal);
    };
  }

  private static Part flash(Tensor query, Tensor key, Tensor value, boolean causal) {
    return part(
        query,
        Operators.call(
            "_scaled_dot_product_flash_attention",
            2,
            query,
            key,
            value,
            0.0,
            causal,
            false,
            Operators.none()));
  }

  private static Part part(Tensor query, List<Tensor> results) {
    Tensor sums = results.get(1).reshape(1, query.size(1), query.size(2));
    return new Part(results.get(0), sums);
  }

  /// cuDNN makes a plan for each new shape, which takes longer than an odd piece itself.
  private static Kernel kernel(Tensor query, Tensor key) {
    if (!query.is_cuda()) {
      return Kernel.CPU;
    }
    if (Tensors.dtype(query) == DType.F32) {
      return Kernel.EFFICIENT;
    }
    boolean usual = query.size(2) >= 512 && query.size(2) % 256 == 0 && key.size(2) % 256 == 0;
    return usual && whyNoCudnn == null && query.size(3) % 8 == 0 && query.size(3) <= 128
        ? Kernel.CUDNN
        : Kernel.FLASH;
  }

  private interface Call {
    List<Tensor> run(Tensor query, Tensor key, Tensor value);
  }

  /// For kernels that need as many key heads as query heads: without a mask the heads of a group
  /// become further rows of one head; with the causal one keys and values are repeated.
  private static Part rows(Tensor query, Tensor key, Tensor value, boolean causal, Call call) {
    long heads = query.size(1);
    long kvHeads = key.size(1);
    long tokens = query.size(2);
    long dim = query.size(3);
    if (causal) {
      List<Tensor> results = call.run(query, repeat(key, heads), repeat(value, heads));
      return new Part(results.get(0), results.get(1).narrow(2, 0, tokens));
    }
    long joined = heads / kvHeads * tokens;
    List<Tensor> results = call.run(query.reshape(1, kvHeads, joined, dim), key, value);
    Tensor sums = results.get(1).narrow(2, 0, joined).reshape(1, heads, tokens);
    return new Part(results.get(0).reshape(1, heads, tokens, dim), sums);
  }

  private static Tensor repeat(Tensor kv, long heads) {
    long kvHeads = kv.size(1);
    return heads == kvHeads
        ? kv
        : kv.unsqueeze(2)
            .expand(1, kvHeads, heads / kvHeads, kv.size(2), kv.size(3))
            .reshape(1, heads, kv.size(2), kv.size(3));
  }
}
