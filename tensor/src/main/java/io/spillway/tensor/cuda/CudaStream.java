package io.spillway.tensor.cuda;

import static io.spillway.tensor.cuda.NativeLibrary.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A queue of copies and kernels that runs beside libtorch's streams. One thread uses it at a time.
public final class CudaStream implements AutoCloseable {
  private static final int NON_BLOCKING = 1;

  private final CudaContext context;
  private final MemorySegment handle;
  private final CudaEvent end;

  CudaStream(CudaContext context) {
    this.context = context;
    context.enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      context.check("cuStreamCreate", context.driver().streamCreate, out, NON_BLOCKING);
      handle = out.get(ADDRESS, 0);
    }
    end = new CudaEvent(context, context.newEvent());
  }

  MemorySegment handle() {
    return handle;
  }

  /// Queues a copy from locked host memory to the device.
  public void upload(MemorySegment host, long device) {
    context.enter();
    context.check(
        "copy to the GPU", context.driver().upload, device, host, host.byteSize(), handle);
  }

  /// Queues a copy from the device to locked host memory.
  public void download(long device, MemorySegment host) {
    context.enter();
    context.check(
        "copy from the GPU", context.driver().download, host, device, host.byteSize(), handle);
  }

  /// Waits until everything queued is done.
  public void await() {
    end.record(handle);
    end.await();
  }

  @Override
  public void close() {
    end.close();
    context.check("cuStreamDestroy", context.driver().streamDestroy, handle);
  }
}
