package io.spillway.diffusion.model;

import io.spillway.tensor.TensorScope;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Chooses among libtorch's attention kernels for 16-bit tensors on a GPU: for every new shape each
/// is timed once, after a first run, and checked against the first of them. cuDNN's is the fastest
/// for many shapes on a Hopper GPU, but libtorch does not always take it by itself.
final class FastestKernel {
  /// Below so many logits a head the choice does not pay.
  private static final long SMALL = 1L << 20;

  private static final double TOLERANCE = 0.02; // of the largest element, in half precision

  /// A kernel; without sums [PartialAttention#logSum] is the result itself.
  private interface Kernel {
    PartialAttention run(Tensor q, Tensor k, Tensor v);
  }

  private static final List<Kernel> WHOLE =
      List.of(FastestKernel::byLibtorch, PartialAttention::cudnn);
  private static final List<Kernel> PARTIAL =
      List.of(PartialAttention::flash, PartialAttention::cudnn);

  private static final Map<String, Kernel> CHOSEN = new ConcurrentHashMap<>();

  private FastestKernel() {}

  private static PartialAttention byLibtorch(Tensor q, Tensor k, Tensor v) {
    Tensor out = torch.scaled_dot_product_attention(q, k, v);
    return new PartialAttention(out, out);
  }

  /// **Shapes:** [batch, heads, tokens, width].
  static Tensor whole(Tensor q, Tensor k, Tensor v) {
    return choose("whole", WHOLE, q, k, v).run(q, k, v).out();
  }

  static PartialAttention partial(Tensor q, Tensor k, Tensor v) {
    return choose("partial", PARTIAL, q, k, v).run(q, k, v);
  }

  private static Kernel choose(String kind, List<Kernel> kernels, Tensor q, Tensor k, Tensor v) {
    if (q.size(2) * k.size(2) < SMALL) {
      return kernels.getFirst();
    }
    String shape =
        kind + Ops.shape(q) + k.size(2) + "/" + q.scalar_type() + q.stride(2) + k.stride(2);
    return CHOSEN.computeIfAbsent(shape, _ -> fastest(kernels, q, k, v));
  }

  private static Kernel fastest(List<Kernel> kernels, Tensor q, Tensor k, Tensor v) {
    byte device = q.device().index();
    Kernel best = kernels.getFirst();
    double least = Double.POSITIVE_INFINITY;
    for (Kernel kernel : kernels) {
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        Tensor out = kernel.run(q, k, v).out();
        if (kernel != kernels.getFirst() && !near(out, kernels.getFirst().run(q, k, v).out())) {
          continue;
        }
        torch.cuda_synchronize(device);
        long began = System.nanoTime();
        kernel.run(q, k, v);
        kernel.run(q, k, v);
        torch.cuda_synchronize(device);
        double seconds = (System.nanoTime() - began) / 1e9;
        if (seconds < least) {
          least = seconds;
          best = kernel;
        }
      } catch (RuntimeException e) {
        if (kernel == kernels.getFirst()) {
          throw e;
        }
        // a kernel that refuses the shape is not taken
      }
    }
    return best;
  }

  private static boolean near(Tensor a, Tensor b) {
    double largest = b.abs().max().item_double();
    double difference = a.sub(b).abs().max().item_double();
    return !Double.isFinite(largest) || difference <= TOLERANCE * largest;
  }
}
