package io.spillway.tensor.cuda;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/// A point in a stream. Waiting for it asks again and again with short naps between: the processor
/// has updates to compute, and an interrupt may take a virtual machine milliseconds to deliver.
public final class CudaEvent implements AutoCloseable {
  private static final int NOT_READY = 600;
  private static final int EAGER_QUERIES = 20;
  private static final long NAP_NS = 20_000;

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
    context.driver().check("waiting for the GPU", status);
    return true;
  }

  /// Waits until the stream has come past this point.
  ///
  /// **Errors:** what went wrong in the stream before it.
  public void await() {
    for (int i = 0; !isReached(); i++) {
      if (i < EAGER_QUERIES) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(NAP_NS);
      }
    }
  }

  @Override
  public void close() {
    context.enter();
    context.check("cuEventDestroy", context.driver().eventDestroy, handle);
  }
}
