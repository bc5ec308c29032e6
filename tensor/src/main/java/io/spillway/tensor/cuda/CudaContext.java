package io.spillway.tensor.cuda;

import static io.spillway.tensor.cuda.NativeLibrary.ADDRESS;
import static io.spillway.tensor.cuda.NativeLibrary.INT;
import static io.spillway.tensor.cuda.NativeLibrary.LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// One GPU in the context that libtorch uses too, so that addresses mean the same to both.
///
/// Every method may be called from any thread. Device memory is handed out as its address; only
/// this class and libtorch may follow it.
public final class CudaContext {
  private static final int ATTRIBUTE_MULTIPROCESSORS = 16;
  private static final int ATTRIBUTE_SHARED_BYTES = 97;
  private static final int ATTRIBUTE_MAJOR = 75;
  private static final int ATTRIBUTE_MINOR = 76;
  private static final int PORTABLE = 1;
  private static final int NO_TIMING = 2;

  private final Driver driver = Driver.get();
  private final int index;
  private final MemorySegment context;

  private CudaContext(int index) {
    this.index = index;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      check("cuDevicePrimaryCtxRetain", driver.contextRetain, out, device(arena));
      context = out.get(ADDRESS, 0);
    }
  }

  /// The context of the `index`-th GPU.
  ///
  /// **Errors:** no driver or no such GPU as [io.spillway.platform.ErrorCode#NOT_AVAILABLE].
  public static CudaContext open(int index) {
    return new CudaContext(index);
  }

  private int device(Arena arena) {
    MemorySegment out = arena.allocate(INT);
    check("cuDeviceGet", driver.deviceGet, out, index);
    return out.get(INT, 0);
  }

  void check(String what, MethodHandle function, Object... arguments) {
    driver.check(what, Driver.call(function, arguments));
  }

  Driver driver() {
    return driver;
  }

  /// Makes this GPU the one that the calling thread speaks to; libtorch may have turned it to
  /// another since.
  void enter() {
    check("cuCtxSetCurrent", driver.contextSet, context);
  }

  /// The newest CUDA version that the driver serves, for example 13010.
  public int driverVersion() {
    return driver.version();
  }

  /// The GPU's architecture, for example 90 for compute capability 9.0.
  public int architecture() {
    try (Arena arena = Arena.ofConfined()) {
      int device = device(arena);
      return 10 * attribute(arena, ATTRIBUTE_MAJOR, device)
          + attribute(arena, ATTRIBUTE_MINOR, device);
    }
  }

  /// How many multiprocessors the GPU has.
  public int multiprocessors() {
    try (Arena arena = Arena.ofConfined()) {
      return attribute(arena, ATTRIBUTE_MULTIPROCESSORS, device(arena));
    }
  }

  /// The most shared memory that a block may ask for.
  public int sharedBytesOfBlock() {
    try (Arena arena = Arena.ofConfined()) {
      return attribute(arena, ATTRIBUTE_SHARED_BYTES, device(arena));
    }
  }

  private int attribute(Arena arena, int which, int device) {
    MemorySegment out = arena.allocate(INT);
    check("cuDeviceGetAttribute", driver.attribute, out, which, device);
    return out.get(INT, 0);
  }

  /// Free and all bytes of the GPU, whoever uses the rest.
  public record Memory(long free, long total) {}

  /// What is free now.
  public Memory memory() {
    enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment free = arena.allocate(LONG);
      MemorySegment total = arena.allocate(LONG);
      check("cuMemGetInfo", driver.memoryInfo, free, total);
      return new Memory(free.get(LONG, 0), total.get(LONG, 0));
    }
  }

  /// Device memory, aligned to 256 bytes, not set.
  public long allocate(long bytes) {
    enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(LONG);
      check("allocating " + bytes + " bytes", driver.allocate, out, bytes);
      return out.get(LONG, 0);
    }
  }

  /// Gives device memory back; waits for what still uses it.
  public void free(long address) {
    enter();
    check("cuMemFree", driver.free, address);
  }

  /// Locks pages of host memory, so that copies run at the link's rate.
  public void register(MemorySegment host) {
    enter();
    check(
        "locking " + host.byteSize() + " bytes of host memory",
        driver.register,
        host,
        host.byteSize(),
        PORTABLE);
  }

  /// Unlocks them.
  public void unregister(MemorySegment host) {
    enter();
    check("cuMemHostUnregister", driver.unregister, host);
  }

  /// Sets device memory to zero, in the order of libtorch's default stream.
  public void zero(long address, long bytes) {
    enter();
    check("cuMemsetD8Async", driver.fill, address, (byte) 0, bytes, MemorySegment.NULL);
  }

  /// An event behind everything that libtorch has queued on its default stream.
  public CudaEvent mark() {
    CudaEvent event = new CudaEvent(this, newEvent());
    event.record(MemorySegment.NULL);
    return event;
  }

  MemorySegment newEvent() {
    enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      check("cuEventCreate", driver.eventCreate, out, NO_TIMING);
      return out.get(ADDRESS, 0);
    }
  }

  /// A stream that runs beside all others.
  public CudaStream stream() {
    return new CudaStream(this);
  }

  /// Loads compiled code.
  public CudaModule module(byte[] image) {
    return new CudaModule(this, image);
  }
}
