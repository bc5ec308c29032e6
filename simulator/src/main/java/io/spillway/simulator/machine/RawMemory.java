package io.spillway.simulator.machine;

import io.spillway.platform.SpillwayException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.util.Locale;
import sun.misc.Unsafe;

/// Address space reserved from the operating system, touched only where it is used.
///
/// The simulated memory must cost one host access per guest access in code that is generated at run
/// time. Off-heap accesses through segments inline too deeply for methods with hundreds of them, so
/// this class, and no other, hands out the raw access of the JDK; every use sits behind a check of
/// the page's permission.
public final class RawMemory {
  /// Raw access; addresses are host addresses.
  static final Unsafe RAW = unsafe();

  private static final int READ_WRITE = 3;
  private static final int DONT_NEED = 4;

  // each in a holder of its own: linking one takes milliseconds of every start, and few programs
  // give memory back

  private static final class Map {
    static final MethodHandle MMAP = function("mmap");
  }

  private static final class Unmap {
    static final MethodHandle MUNMAP = function("munmap");
  }

  private static final class Advise {
    static final MethodHandle MADVISE = function("madvise");
  }

  private RawMemory() {}

  @SuppressWarnings("removal")
  private static Unsafe unsafe() {
    try {
      Field field = Unsafe.class.getDeclaredField("theUnsafe");
      field.setAccessible(true);
      return (Unsafe) field.get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("sun.misc.Unsafe is not there", e);
    }
  }

  /// A function of up to six words. All are called with six, which lie in registers that a function
  /// of fewer does not look at: one form is linked once.
  private static MethodHandle function(String name) {
    ValueLayout[] arguments = new ValueLayout[6];
    java.util.Arrays.fill(arguments, ValueLayout.JAVA_LONG);
    Linker linker = Linker.nativeLinker();
    MemorySegment address =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(() ->
                SpillwayException.notAvailable(
                    "this system has no %s; the simulator runs on Linux and macOS", name));
    return linker.downcallHandle(address, FunctionDescriptor.of(ValueLayout.JAVA_LONG, arguments));
  }

  private static long flags() {
    boolean mac = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac");
    // private, anonymous, no reserve
    return mac ? 0x0002 | 0x1000 | 0x0040 : 0x02 | 0x20 | 0x4000;
  }

  /// Reserves `bytes` of zeros; returns 0 if the system refuses.
  static long reserve(long bytes) {
    try {
      long address = (long) Map.MMAP.invokeExact(0L, bytes, (long) READ_WRITE, flags(), -1L, 0L);
      return address == -1 ? 0 : address;
    } catch (Throwable e) {
      throw new IllegalStateException("mmap failed", e);
    }
  }

  static void release(long address, long bytes) {
    try {
      long unused = (long) Unmap.MUNMAP.invokeExact(address, bytes, 0L, 0L, 0L, 0L);
    } catch (Throwable e) {
      throw new IllegalStateException("munmap failed", e);
    }
  }

  /// Gives the pages back to the system; they read as zeros afterwards.
  static void discard(long address, long bytes) {
    boolean linux = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");
    try {
      if (linux
          && (long) Advise.MADVISE.invokeExact(address, bytes, (long) DONT_NEED, 0L, 0L, 0L) == 0) {
        return;
      }
    } catch (Throwable e) {
      throw new IllegalStateException("madvise failed", e);
    }
    RAW.setMemory(address, bytes, (byte) 0);
  }
}
