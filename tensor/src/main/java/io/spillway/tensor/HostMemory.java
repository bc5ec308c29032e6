package io.spillway.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// What the C library does with memory of the host that tensors have left. Everything here is for
/// glibc; other C libraries stay as they are.
///
/// glibc has up to eight arenas a core, and each keeps what the threads that used it have freed
/// around anything still in use: a service whose ranks are threads of a request's own fills them
/// all.
public final class HostMemory {
  // glibc's malloc.h
  private static final int TRIM_THRESHOLD = -1;
  private static final int TOP_PAD = -2;
  private static final int MMAP_THRESHOLD = -3;

  /// Sizes from which a block is mapped by itself and unmapped when it is freed; glibc's own arenas
  /// of 64 MiB hold no larger ones.
  private static final int MAPPED_BYTES = 64 << 20;

  /// Free bytes at an arena's end from which they go back to the system.
  private static final int FREE_BYTES = 128 << 20;

  private static final Optional<MethodHandle> TRIM = function("malloc_trim", ValueLayout.JAVA_LONG);

  private HostMemory() {}

  private static Optional<MethodHandle> function(String name, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(address ->
            linker.downcallHandle(address, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments)));
  }

  /// Makes glibc keep the memory of freed tensors for the next ones. By default each large tensor
  /// of a layer is unmapped or trimmed away when it is freed, and each page of its successor is
  /// faulted in and cleared anew, which on a virtual machine takes longer than what is computed in
  /// it.
  static void keepFreed() {
    function("mallopt", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)
        .ifPresent(set -> {
          try {
            int _ = (int) set.invokeExact(MMAP_THRESHOLD, MAPPED_BYTES);
            int _ = (int) set.invokeExact(TRIM_THRESHOLD, FREE_BYTES);
            int _ = (int) set.invokeExact(TOP_PAD, MAPPED_BYTES);
          } catch (Throwable e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /// Gives unused pages back to the system; takes milliseconds.
  public static void releaseUnused() {
    TRIM.ifPresent(trim -> {
      try {
        int _ = (int) trim.invokeExact(0L);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    });
  }
}
