package io.spillway.training.engine;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamKernel;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.Precision;
import io.spillway.kernels.VectorAdam;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.pytorch.Tensor;

/// A device that exists in host memory only: its capacity is counted, its links copy real bytes no
/// faster than their rate, its kernels compute real numbers no faster than theirs. Everything but
/// the speed is that of a real device, so schedules, ordering and exactness are tested with it.
public final class SimulatedDevice implements Device {
  private static final long CHUNK = 1 << 18;

  /// Passes on the host have ended when they return.
  private static final Mark PASSED =
      new Mark() {
        @Override
        public boolean isReached() {
          return true;
        }

        @Override
        public void await() {}
      };

  private final DeviceSpec spec;
  private final AdamKernel kernel = new VectorAdam();
  private final Map<Long, Arena> arenas = new ConcurrentHashMap<>();
  private final Map<Long, Long> sizes = new ConcurrentHashMap<>();
  private final ReentrantLock halfDuplex = new ReentrantLock(true);
  private long used;
  private long peak;

  public SimulatedDevice(DeviceSpec spec) {
    this.spec = spec;
  }

  public DeviceSpec spec() {
    return spec;
  }

  @Override
  public String description() {
    return "simulated device with "
        + spec.memory()
        + " and a link of "
        + spec.link()
        + (spec.duplex() ? " each way" : " in all")
        + " (no real accelerator: its times are those of the simulation)";
  }

  @Override
  public synchronized MemorySegment allocate(long bytes, String what) {
    if (used + bytes > spec.memory().bytes()) {
      throw SpillwayException.doesNotFit(
          "%s of %s does not fit: %s of the device's %s are in use; the smallest budget up to here"
              + " is %d bytes",
          what, new Bytes(bytes), new Bytes(used), spec.memory(), used + bytes);
    }
    MemorySegment memory = reserve(bytes);
    sizes.put(memory.address(), bytes);
    used += bytes;
    peak = Math.max(peak, used);
    return memory;
  }

  @SuppressWarnings("MustBeClosedChecker") // kept in arenas and closed by freeHost
  private MemorySegment reserve(long bytes) {
    Arena arena = Arena.ofShared();
    MemorySegment memory = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
    arenas.put(memory.address(), arena);
    return memory;
  }

  @Override
  public synchronized void free(MemorySegment memory) {
    Long bytes = sizes.remove(memory.address());
    if (bytes == null) {
      throw new IllegalArgumentException("the segment is not of this device");
    }
    used -= bytes;
    freeHost(memory);
  }

  @Override
  public MemorySegment allocateHost(long bytes, String what) {
    return reserve(bytes);
  }

  @Override
  public void freeHost(MemorySegment memory) {
    Arena arena = arenas.remove(memory.address());
    if (arena == null) {
      throw new IllegalArgumentException("the segment was not allocated here");
    }
    arena.close();
  }

  @Override
  public ComputeDevice processor() {
    return Devices.cpu();
  }

  @Override
  public Tensor tensor(MemorySegment memory, DType type, long... shape) {
    return Tensors.view(memory, type, shape);
  }

  @Override
  public void zero(MemorySegment memory) {
    memory.fill((byte) 0);
  }

  @Override
  public Mark mark() {
    return PASSED;
  }

  @Override
  public boolean isDuplex() {
    return spec.duplex();
  }

  @Override
  public void upload(MemorySegment host, MemorySegment device) {
    copy(host, device);
  }

  @Override
  public void download(MemorySegment device, MemorySegment host) {
    copy(device, host);
  }

  private void copy(MemorySegment from, MemorySegment to) {
    if (!spec.duplex()) {
      halfDuplex.lock();
    }
    try {
      long begin = System.nanoTime();
      long bytes = from.byteSize();
      double nsPerByte = 1e9 / spec.link().bytesPerSecond();
      for (long at = 0; at < bytes; at += CHUNK) {
        long n = Math.min(CHUNK, bytes - at);
        MemorySegment.copy(from, at, to, at, n);
        long due = begin + (long) ((at + n) * nsPerByte);
        // sleep in pieces of a millisecond: waking up costs
        if (at + n == bytes || due - System.nanoTime() > 1_000_000) {
          Pace.until(due);
        }
      }
    } finally {
      if (!spec.duplex()) {
        halfDuplex.unlock();
      }
    }
  }

  @Override
  public void update(AdamStep step, AdamBuffers buffers) {
    long begin = System.nanoTime();
    kernel.update(step, buffers);
    Pace.until(begin + (long) (buffers.size() * 1e9 / spec.updateRate()));
  }

  @Override
  public double[] sumsOfSquares(MemorySegment gradient, Precision precision, long from, long n) {
    return normBlocks(gradient, precision, from, n);
  }

  /// The norm blocks of a gradient in host memory.
  static double[] normBlocks(MemorySegment gradient, Precision precision, long from, long n) {
    long first = from / GradientNorm.BLOCK;
    int count = (int) ((from + n + GradientNorm.BLOCK - 1) / GradientNorm.BLOCK - first);
    double[] sums = new double[count];
    for (int i = 0; i < count; i++) {
      long begin = Math.max(from, (first + i) * GradientNorm.BLOCK);
      long end = Math.min(from + n, (first + i + 1) * GradientNorm.BLOCK);
      sums[i] = GradientNorm.sumOfSquares(gradient, precision, begin - from, end - from);
    }
    return sums;
  }

  @Override
  public synchronized long used() {
    return used;
  }

  @Override
  public synchronized long peak() {
    return peak;
  }

  @Override
  public long capacity() {
    return spec.memory().bytes();
  }

  @Override
  public synchronized void close() {
    arenas.values().forEach(Arena::close);
    arenas.clear();
    sizes.clear();
    used = 0;
  }
}
