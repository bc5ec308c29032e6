package io.spillway.platform.launch;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Sends POSIX signals that [Process] has no method for.
final class Signals {
  private static final int SIGINT = 2;
  private static final MethodHandle KILL =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("kill"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private Signals() {}

  /// Sends SIGINT; a process that has ended already is left alone.
  static void interrupt(long pid) {
    try {
      int ignored = (int) KILL.invokeExact((int) pid, SIGINT);
      assert ignored <= 0;
    } catch (Throwable e) {
      throw new IllegalStateException("kill(2) cannot be called", e);
    }
  }
}
