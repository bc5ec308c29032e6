package io.spillway.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// The C library's allocator, which libtorch takes its memory on the host from.
final class HostAllocator {
  // glibc's malloc.h
  private static final int TRIM_THRESHOLD = -1;
  private static final int TOP_PAD = -2;
  private static final int MMAP_THRESHOLD = -3;

  /// Sizes from which a block is mapped by itself and unmapped when it is freed; glibc's own arenas
  /// of 64 MiB hold no larger ones.
  private static final int MAPPED_BYTES = 64 << 20;

  /// Free bytes at an arena's end from which they go back to the system.
  private static final int FREE_BYTES = 128 << 20;

  private HostAllocator() {}

  /// Makes glibc keep the memory of freed tensors for the next ones. By default each large tensor
  /// of a layer is unmapped or trimmed away when it is freed, and each page of its successor is
  /// faulted in and cleared anew, which on a virtual machine takes longer than what is computed in
  /// it. Other C libraries stay as they are.
  static void keepFreedMemory() {
    Linker linker = Linker.nativeLinker();
    linker
        .defaultLookup()
        .find("mallopt")
        .ifPresent(function -> {
          MethodHandle set =
              linker.downcallHandle(
                  function,
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
          try {
            int _ = (int) set.invokeExact(MMAP_THRESHOLD, MAPPED_BYTES);
            int _ = (int) set.invokeExact(TRIM_THRESHOLD, FREE_BYTES);
            int _ = (int) set.invokeExact(TOP_PAD, MAPPED_BYTES);
          } catch (Throwable e) {
            throw new IllegalStateException(e);
          }
        });
  }
}
