package io.spillway.models;

import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Linear layers. One row on the CPU, which is what writing a token needs, is bound by memory, and
/// libtorch's `linear` reaches a fraction of its rate: bf16 weights take the kernel of this
/// project, f32 ones libtorch's product of a matrix and a vector. All else is `linear`.
final class RowProduct {
  private RowProduct() {}

  /// `x · weightᵀ + bias`, in the type of `x`.
  static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
    if (GradMode.is_enabled()
        || x.is_cuda()
        || x.numel() != weight.size(1)
        || Tensors.dtype(weight) != Tensors.dtype(x)
        || !weight.is_contiguous()) {
      return bias == null
          ? torch.linear(x, weight)
          : torch.linear(x, weight, new TensorOptional(bias));
    }
    Tensor product =
        switch (Tensors.dtype(x)) {
          case BF16 -> CpuKernels.multiply(x, weight);
          case F32 -> weight.mv(x.reshape(-1));
          case F64, F16, I64, I32, I16, I8, U8, BOOL -> torch.linear(x.reshape(1, -1), weight);
        };
    long[] shape = Tensors.shape(x);
    shape[shape.length - 1] = weight.size(0);
    Tensor shaped = product.view(shape);
    return bias == null ? shaped : shaped.add_(bias);
  }
}
