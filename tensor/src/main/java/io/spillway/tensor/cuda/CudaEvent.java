package io.spillway.tensor.cuda;

import java.lang.foreign.MemorySegment;

/// A point in a stream. Waiting for it puts the thread to sleep instead of spinning, as the
/// processor has updates to compute.
public final class CudaEvent implements AutoCloseable {
  private static final int NOT_READY = 600;

  private final CudaContext context;
  private final MemorySegment handle;

  CudaEvent(CudaContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle;
  }

  void record(MemorySegment stream) {
    context.enter();
    context.check("cuEventRecord", context.driver().eventRecord, handle, stream);
  }

  /// Whether the stream has come past this point.
  public boolean isReached() {
    context.enter();
    int status = Driver.call(context.driver().eventQuery, handle);
    if (status == NOT_READY) {
      return false;
    }
    context.driver().check("cuEventQuery", status);
    return true;
  }

  /// Waits until the stream has come past this point.
  ///
  /// **Errors:** what went wrong in the stream before it.
  public void await() {
    context.enter();
    context.check("waiting for the GPU", context.driver().eventWait, handle);
  }

  @Override
  public void close() {
    context.enter();
    context.check("cuEventDestroy", context.driver().eventDestroy, handle);
  }
}
