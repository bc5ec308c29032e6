package io.spillway.training.engine;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.Precision;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import java.lang.foreign.MemorySegment;
import org.bytedeco.pytorch.Tensor;

/// The tier that computes: its memory with its capacity, its links to the host and its optimizer
/// kernels. Copies and kernels block the calling lane until they are done, so that the signals of
/// [Lanes] are the only order between them. Passes may be asynchronous: [#mark] says how far they
/// are.
public interface Device extends AutoCloseable {
  /// What a person should read of it, and whether it is simulated.
  String description();

  /// Memory on the device, zeroed and aligned to 64 bytes. The segment is an address to hand back
  /// to this device; Java code never reads it.
  ///
  /// **Errors:** [io.spillway.platform.ErrorCode#DOES_NOT_FIT] over the budget.
  MemorySegment allocate(long bytes, String what);

  /// Gives memory back.
  void free(MemorySegment memory);

  /// Memory of the host from which and to which copies are fast, zeroed.
  MemorySegment allocateHost(long bytes, String what);

  /// Gives host memory back.
  void freeHost(MemorySegment memory);

  /// Where libtorch runs the passes whose weights lie in this device's memory.
  ComputeDevice processor();

  /// The device's memory as a tensor, without a copy.
  Tensor tensor(MemorySegment memory, DType type, long... shape);

  /// Sets memory to zero, in the order of the passes.
  void zero(MemorySegment memory);

  /// A point behind everything that the passes have begun; they may still be running.
  Mark mark();

  /// A point that a device comes past.
  interface Mark {
    /// Whether it has.
    boolean isReached();

    /// Waits until it has. Called once, from any thread.
    void await();
  }

  /// Whether both directions of the link run at once; else they share one lane.
  boolean isDuplex();

  /// Copies a whole segment from host to device.
  void upload(MemorySegment host, MemorySegment device);

  /// Copies a whole segment from device to host.
  void download(MemorySegment device, MemorySegment host);

  /// Adam on the device, with the arithmetic of [io.spillway.kernels.ScalarAdam].
  void update(AdamStep step, AdamBuffers buffers);

  /// Sums of squares of the norm blocks of `gradient`, whose first number has flat index `from`; a
  /// block is cut only by the ends of the whole gradient or of the subgroup.
  double[] sumsOfSquares(MemorySegment gradient, Precision precision, long from, long n);

  /// Bytes in use now.
  long used();

  /// The most bytes that were in use.
  long peak();

  /// The budget in bytes.
  long capacity();

  /// Bytes that an allocation of `bytes` takes of the budget.
  default long footprint(long bytes) {
    return bytes;
  }

  /// Bytes of the budget that a plan leaves alone, for what the passes take beyond what they took
  /// when they were measured.
  default long reserve() {
    return 0;
  }

  /// Gives back memory that is kept for later requests and that nothing uses.
  default void releaseUnused() {}

  @Override
  void close();
}
