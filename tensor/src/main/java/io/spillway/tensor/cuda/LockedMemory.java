package io.spillway.tensor.cuda;

import static io.spillway.tensor.cuda.NativeLibrary.ADDRESS;
import static io.spillway.tensor.cuda.NativeLibrary.INT;
import static io.spillway.tensor.cuda.NativeLibrary.LONG;

import io.spillway.platform.SpillwayException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.stream.LongStream;

/// Host memory whose pages are locked. It is mapped in huge pages and touched by all processors
/// before the driver locks it, which is several times faster than letting the driver fault in one
/// small page after another.
public final class LockedMemory implements AutoCloseable {
  private static final long HUGE_PAGE = 2 << 20;
  private static final int READ_WRITE = 3;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final int ADVISE_HUGE_PAGES = 14;

  private static final MethodHandle MAP =
      function("mmap", ADDRESS, ADDRESS, LONG, INT, INT, INT, LONG);
  private static final MethodHandle UNMAP = function("munmap", INT, ADDRESS, LONG);
  private static final MethodHandle ADVISE = function("madvise", INT, ADDRESS, LONG, INT);

  private final CudaContext context;
  private final MemorySegment mapped;

  private LockedMemory(CudaContext context, MemorySegment mapped) {
    this.context = context;
    this.mapped = mapped;
  }

  private static MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... parameters) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, parameters));
  }

  /// At least `bytes`, zero.
  ///
  /// **Errors:** [io.spillway.platform.ErrorCode#DOES_NOT_FIT] when the host has no more.
  public static LockedMemory allocate(CudaContext context, long bytes) {
    long size = Math.max(1, (bytes + HUGE_PAGE - 1) / HUGE_PAGE) * HUGE_PAGE;
    MemorySegment mapped;
    try {
      mapped =
          (MemorySegment)
              MAP.invokeExact(MemorySegment.NULL, size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    if (mapped.address() == -1) {
      throw SpillwayException.doesNotFit("the host has no %d bytes of memory more", size);
    }
    MemorySegment memory = mapped.reinterpret(size);
    // only advice: without huge pages all works, slower
    int _ = Driver.call(ADVISE, memory, size, ADVISE_HUGE_PAGES);
    fill(memory);
    LockedMemory locked = new LockedMemory(context, memory);
    try {
      context.register(memory);
    } catch (RuntimeException e) {
      locked.unmap();
      throw e;
    }
    return locked;
  }

  /// Writes zeros with all processors.
  public void clear() {
    fill(mapped);
  }

  private static void fill(MemorySegment memory) {
    LongStream.range(0, memory.byteSize() / HUGE_PAGE)
        .parallel()
        .forEach(page -> memory.asSlice(page * HUGE_PAGE, HUGE_PAGE).fill((byte) 0));
  }

  /// The memory.
  public MemorySegment segment() {
    return mapped;
  }

  private void unmap() {
    int _ = Driver.call(UNMAP, mapped, mapped.byteSize());
  }

  @Override
  public void close() {
    context.unregister(mapped);
    unmap();
  }
}
