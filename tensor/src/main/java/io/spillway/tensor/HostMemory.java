package io.spillway.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Memory of the host that tensors have left but the C library keeps. glibc has up to eight arenas
/// a core, and each keeps what the threads that used it have freed around anything still in use: a
/// service whose ranks are threads of a request's own fills them all.
public final class HostMemory {
  private static final Optional<MethodHandle> TRIM =
      Linker.nativeLinker()
          .defaultLookup()
          .find("malloc_trim")
          .map(address ->
              Linker.nativeLinker()
                  .downcallHandle(
                      address, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)));

  private HostMemory() {}

  /// Gives unused pages back to the system; takes milliseconds. Nothing where the C library is not
  /// glibc.
  public static void releaseUnused() {
    TRIM.ifPresent(trim -> {
      try {
        int released = (int) trim.invokeExact(0L);
        assert released >= 0;
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    });
  }
}
