package io.spillway.models;

import io.spillway.kernels.Heads;
import io.spillway.tensor.DType;
import io.spillway.tensor.Operators;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Softmax attention without gradients through libtorch's fused kernels, for queries that follow a
/// run of cached keys.
///
/// The cached keys are looked at in blocks that every query sees whole, the queries' own keys
/// causally; parts are joined by the logarithms of their sums. So no mask is ever built, the fused
/// kernels meet few different shapes, and the query heads of a group share their keys and values
/// without a copy where the kernel can.
///
/// **Shapes:** queries `[1, heads, tokens, headDim]`, keys and values `[1, kvHeads, entries,
/// headDim]`.
public final class FusedAttention {
  /// Cached keys that one call of a kernel looks at.
  static final long BLOCK = 32_768;

  /// Queries from which libtorch's kernel for bf16 is fast on the CPU.
  private static final long CPU_BLOCK = 32;

  /// libtorch's kernels that hand back sums beside results.
  private enum Kernel {
    CPU,
    CUDNN,
    FLASH,
    EFFICIENT
  }

  /// How long chunks after cached keys are read on CUDA in 16 bits.
  private enum Way {
    /// cuDNN over blocks that are joined.
    JOINED,
    /// libtorch's flash attention at once, whose causal mask ends at the last key.
    AT_ONCE
  }

  private static volatile @Nullable String whyNoCudnn;
  private static volatile @Nullable Way way;
  private static volatile String whyWay = "not measured yet";

  private FusedAttention() {}

  /// Results and the logarithms of the sums of exponentials, `[1, heads, tokens]` f32.
  private record Part(Tensor out, Tensor sums) {}

  /// What the kernel for 16-bit tensors on CUDA is, for reports.
  public static String cudaKernel() {
    String why = whyNoCudnn;
    return (why == null ? "cuDNN" : "flash (cuDNN refused: " + why + ")") + "; " + whyWay;
  }

  /// Query `i` sees the first `past + i + 1` keys.
  public static Tensor attend(Tensor query, Tensor key, Tensor value, long past) {
    if (query.size(2) == 1 && query.size(0) == 1 && CpuKernels.serve(query)) {
      Tensor one = ofOneToken(query, key, value);
      if (one != null) {
        return one;
      }
    }
    boolean isLong = query.size(2) >= 1024 && past >= 8192;
    if (isLong && query.is_cuda() && Tensors.dtype(query) != DType.F32) {
      Way best = way;
      if (best == null) {
        best = measure(query, key, value, past);
        way = best;
      }
      if (best == Way.AT_ONCE) {
        return flash(query, key, value, true).out();
      }
    }
    return joined(query, key, value, past);
  }

  /// One token over a cache in bf16 through this project's kernel; null if they are none such.
  private static @Nullable Tensor ofOneToken(Tensor query, Tensor key, Tensor value) {
    if (Tensors.dtype(key) != DType.BF16 || Tensors.dtype(value) != DType.BF16) {
      return null;
    }
    Heads asked = CpuKernels.heads(query);
    Heads keys = CpuKernels.heads(key);
    Heads values = CpuKernels.heads(value);
    if (asked == null || keys == null || values == null) {
      return null;
    }
    Tensor out = CpuKernels.room(query, Tensors.shape(query));
    Heads to = CpuKernels.own(out);
    CpuKernels.run(kernels -> kernels.attention().attend(asked, keys, values, to));
    return out;
  }

  /// Measures both ways once for the process; the one at once counts only if it agrees.
  private static Way measure(Tensor query, Tensor key, Tensor value, long past) {
    double[] seconds = new double[2];
    try (TensorScope scope = TensorScope.open()) {
      Tensor a = joined(query, key, value, past);
      Tensor b = flash(query, key, value, true).out();
      double apart = a.sub(b).abs().max().item_float() / a.abs().max().item_float();
      for (int i = 0; i < 2; i++) {
        int which = i;
        seconds[i] = Double.POSITIVE_INFINITY;
        for (int run = 0; run < 3; run++) {
          torch.cuda_synchronize();
          long begin = System.nanoTime();
          TensorScope.run(() -> {
            if (which == 0) {
              joined(query, key, value, past);
            } else {
              flash(query, key, value, true);
            }
          });
          torch.cuda_synchronize();
          seconds[i] = Math.min(seconds[i], (System.nanoTime() - begin) / 1e9);
        }
      }
      whyWay =
          String.format(
              Locale.ROOT,
              "%d queries after %d keys: joined %.2f ms, at once %.2f ms, apart by %.1e",
              query.size(2),
              past,
              1e3 * seconds[0],
              1e3 * seconds[1],
              apart);
      return apart < 0.02 && seconds[1] < seconds[0] ? Way.AT_ONCE : Way.JOINED;
    } catch (RuntimeException e) {
      whyWay = "flash attention at once failed: " + e.getMessage();
      return Way.JOINED;
    }
  }

  private static Tensor joined(Tensor query, Tensor key, Tensor value, long past) {
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
    // in f32: one of many keys has a share that bf16 does not tell from nothing
    Tensor share = torch.sigmoid(a.sums().sub(b.sums())).unsqueeze(-1);
    Tensor rest = torch.sigmoid(b.sums().sub(a.sums())).unsqueeze(-1);
    Tensor out = a.out().mul(share).add_(b.out().mul(rest));
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
                      onCpu(q, query.size(2)),
                      onCpu(k, query.size(2)),
                      onCpu(v, query.size(2)),
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

  /// In f32 for few queries, where the kernel for bf16 is ten times slower.
  private static Tensor onCpu(Tensor x, long tokens) {
    return tokens < CPU_BLOCK ? Tensors.to(x, DType.F32) : x;
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
