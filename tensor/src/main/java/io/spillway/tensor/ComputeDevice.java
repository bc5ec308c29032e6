package io.spillway.tensor;

import org.bytedeco.pytorch.Device;

/// A place where tensors live and operators run.
///
/// @param kind CPU or CUDA
/// @param index the CUDA ordinal, 0 for the CPU
/// @param description what a person should read: name, memory, threads
public record ComputeDevice(Kind kind, int index, String description) {
  /// The kinds of devices.
  public enum Kind {
    CPU,
    CUDA
  }

  public boolean isCuda() {
    return kind == Kind.CUDA;
  }

  /// torch's name: `cpu` or `cuda:1`.
  public String name() {
    return isCuda() ? "cuda:" + index : "cpu";
  }

  /// libtorch's device; it belongs to the innermost [TensorScope].
  public Device torch() {
    Torch.load();
    return new Device(name());
  }

  @Override
  public String toString() {
    return name() + " (" + description + ")";
  }
}
