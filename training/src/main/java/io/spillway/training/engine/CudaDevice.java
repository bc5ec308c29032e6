package io.spillway.training.engine;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.Precision;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.CudaMemory;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.cuda.CudaContext;
import io.spillway.tensor.cuda.CudaEvent;
import io.spillway.tensor.cuda.CudaStream;
import io.spillway.tensor.cuda.LockedMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// An NVIDIA GPU with a budget of its memory: page-locked host memory, copies up and down on two
/// streams, optimizer kernels on a third, passes on libtorch's own.
///
/// What counts against the budget is everything that this process took of the GPU since it opened
/// the device: state and buffers from here, activations and workspaces from libtorch.
public final class CudaDevice implements Device {
  /// What the driver rounds large allocations to.
  private static final long PAGE = 2 << 20;

  private final ComputeDevice processor;
  private final CudaContext context;
  private final CudaStream up;
  private final CudaStream down;
  private final CudaKernels kernels;
  private long capacity;
  private final long freeAtFirst;
  private final Map<Long, Long> sizes = new HashMap<>();
  private final Map<Long, LockedMemory> host = new HashMap<>();
  private final Map<Long, Deque<LockedMemory>> spare = new HashMap<>();
  private long own;
  private long peak;

  /// @param processor a CUDA device
  /// @param budget bytes of its memory that may be used; no more than it has are
  public CudaDevice(ComputeDevice processor, long budget) {
    this.processor = processor;
    context = CudaContext.open(processor.index());
    up = context.stream();
    down = context.stream();
    kernels = new CudaKernels(context);
    CudaContext.Memory memory = context.memory();
    freeAtFirst = memory.free();
    capacity = Math.min(budget, freeAtFirst);
  }

  /// The driver's side of it.
  public CudaContext context() {
    return context;
  }

  /// Sets another budget; what is in use stays.
  public synchronized void budget(long bytes) {
    capacity = Math.min(bytes, freeAtFirst);
    peak = 0;
  }

  @Override
  public String description() {
    return processor + " with a budget of " + new Bytes(capacity);
  }

  @Override
  public synchronized MemorySegment allocate(long bytes, String what) {
    long used = used();
    if (used + bytes > capacity) {
      throw SpillwayException.doesNotFit(
          "%s of %s does not fit: %s of the budget of %s on %s are in use; the smallest budget up to"
              + " here is %d bytes",
          what,
          new Bytes(bytes),
          new Bytes(used),
          new Bytes(capacity),
          processor.name(),
          used + bytes);
    }
    long address = context.allocate(Math.max(1, bytes));
    context.zero(address, Math.max(1, bytes));
    mark().await();
    sizes.put(address, bytes);
    own += bytes;
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public synchronized void free(MemorySegment memory) {
    Long bytes = sizes.remove(memory.address());
    if (bytes == null) {
      throw new IllegalArgumentException("the segment is not of this device");
    }
    own -= bytes;
    context.free(memory.address());
  }

  /// Locking memory takes longer than using it, so what was freed is kept for the next request of
  /// its size until the device is closed.
  @Override
  public synchronized MemorySegment allocateHost(long bytes, String what) {
    Deque<LockedMemory> same = spare.get(bytes);
    LockedMemory memory = same == null ? null : same.poll();
    if (memory == null) {
      memory = LockedMemory.allocate(context, bytes);
    } else {
      memory.clear();
    }
    host.put(memory.segment().address(), memory);
    return memory.segment().asSlice(0, bytes);
  }

  @Override
  public synchronized void freeHost(MemorySegment memory) {
    LockedMemory locked = host.remove(memory.address());
    if (locked == null) {
      throw new IllegalArgumentException("the segment was not allocated here");
    }
    spare.computeIfAbsent(memory.byteSize(), _ -> new ArrayDeque<>()).add(locked);
  }

  @Override
  public ComputeDevice processor() {
    return processor;
  }

  @Override
  public Tensor tensor(MemorySegment memory, DType type, long... shape) {
    return Tensors.view(memory.address(), processor, type, shape);
  }

  @Override
  public void zero(MemorySegment memory) {
    context.zero(memory.address(), memory.byteSize());
  }

  @Override
  public Mark mark() {
    CudaEvent event = context.mark();
    return new Mark() {
      @Override
      public boolean isReached() {
        return event.isReached();
      }

      @Override
      public void await() {
        try (event) {
          event.await();
        }
      }
    };
  }

  @Override
  public boolean isDuplex() {
    return true;
  }

  @Override
  public void upload(MemorySegment from, MemorySegment device) {
    synchronized (up) {
      up.upload(from, device.address());
      up.await();
    }
  }

  @Override
  public void download(MemorySegment device, MemorySegment to) {
    synchronized (down) {
      down.download(device.address(), to);
      down.await();
    }
  }

  @Override
  public void update(AdamStep step, AdamBuffers buffers) {
    kernels.update(step, buffers);
  }

  @Override
  public double[] sumsOfSquares(MemorySegment gradient, Precision precision, long from, long n) {
    return kernels.sumsOfSquares(gradient, precision, from, n);
  }

  @Override
  public synchronized long used() {
    // another process may give memory back meanwhile; what we hold ourselves is certain
    long used = Math.max(own, freeAtFirst - context.memory().free());
    peak = Math.max(peak, used);
    return used;
  }

  @Override
  public synchronized long peak() {
    used();
    return peak;
  }

  @Override
  public synchronized long capacity() {
    return capacity;
  }

  @Override
  public long footprint(long bytes) {
    return (bytes + PAGE - 1) / PAGE * PAGE;
  }

  /// libtorch's blocks of differing sizes leave gaps, so the passes take some more with time.
  @Override
  public long reserve() {
    return Math.max(64L << 20, capacity() / 64);
  }

  @Override
  public void releaseUnused() {
    CudaMemory.releaseUnused();
  }

  @Override
  public synchronized void close() {
    List<Long> left = new ArrayList<>(sizes.keySet());
    left.forEach(context::free);
    sizes.clear();
    host.values().forEach(LockedMemory::close);
    host.clear();
    spare.values().forEach(all -> all.forEach(LockedMemory::close));
    spare.clear();
    kernels.close();
    up.close();
    down.close();
  }
}
