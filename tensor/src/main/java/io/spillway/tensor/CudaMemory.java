package io.spillway.tensor;

import org.bytedeco.pytorch.cuda.CUDAAllocator;
import org.bytedeco.pytorch.global.torch_cuda;

/// What libtorch's allocator holds on a CUDA device, in bytes.
public final class CudaMemory {
  private CudaMemory() {}

  /// Bytes of live tensors now.
  public static long allocated(ComputeDevice device) {
    return allocator().getDeviceStats((byte) device.index()).allocated_bytes().current();
  }

  /// Most bytes of live tensors since [#resetPeak].
  public static long peakAllocated(ComputeDevice device) {
    return allocator().getDeviceStats((byte) device.index()).allocated_bytes().peak();
  }

  /// Most bytes taken from the driver since [#resetPeak].
  public static long peakReserved(ComputeDevice device) {
    return allocator().getDeviceStats((byte) device.index()).reserved_bytes().peak();
  }

  public static void resetPeak(ComputeDevice device) {
    allocator().resetPeakStats((byte) device.index());
  }

  /// Gives blocks that no tensor uses back to the driver.
  public static void releaseUnused() {
    allocator().emptyCache();
  }

  private static CUDAAllocator allocator() {
    Torch.load();
    return torch_cuda.getAllocator();
  }
}
