package io.spillway.tensor.cuda;

import static io.spillway.tensor.cuda.NativeLibrary.ADDRESS;
import static io.spillway.tensor.cuda.NativeLibrary.INT;
import static io.spillway.tensor.cuda.NativeLibrary.LONG;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Compiles CUDA C++ for one architecture with NVRTC, which libtorch brings for its own use.
public final class CudaCompiler {
  private CudaCompiler() {}

  /// The text of a resource beside a class.
  public static String source(Class<?> beside, String name) {
    try (InputStream in = beside.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Compiles `source`.
  ///
  /// @param options of NVRTC beside the architecture, for example `-DGRADIENT=1`
  /// @return machine code for [CudaContext#module] **Errors:** no NVRTC as
  ///   [ErrorCode#NOT_AVAILABLE]; a source that does not compile as our fault, with the compiler's
  ///   words.
  public static byte[] compile(String source, String name, int architecture, List<String> options) {
    NativeLibrary lib =
        NativeLibrary.open(
            List.of("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"),
            "add the folder of CUDA's NVRTC to LD_LIBRARY_PATH");
    MethodHandle create =
        lib.function("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, INT, ADDRESS, ADDRESS);
    MethodHandle run = lib.function("nvrtcCompileProgram", ADDRESS, INT, ADDRESS);
    MethodHandle destroy = lib.function("nvrtcDestroyProgram", ADDRESS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      check(
          lib,
          "nvrtcCreateProgram",
          Driver.call(
              create,
              out,
              arena.allocateFrom(source),
              arena.allocateFrom(name),
              0,
              MemorySegment.NULL,
              MemorySegment.NULL));
      MemorySegment program = out.get(ADDRESS, 0);
      try {
        MemorySegment flags = arena.allocate(ADDRESS, options.size() + 1L);
        flags.setAtIndex(ADDRESS, 0, arena.allocateFrom("--gpu-architecture=sm_" + architecture));
        for (int i = 0; i < options.size(); i++) {
          flags.setAtIndex(ADDRESS, i + 1L, arena.allocateFrom(options.get(i)));
        }
        int status = Driver.call(run, program, options.size() + 1, flags);
        if (status != 0) {
          byte[] log = bytes(lib, arena, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
          throw new IllegalStateException(
              lib.name()
                  + " did not compile "
                  + name
                  + " ("
                  + status
                  + "): "
                  + new String(log, StandardCharsets.UTF_8));
        }
        return bytes(lib, arena, program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN");
      } finally {
        Driver.call(destroy, out);
      }
    }
  }

  private static byte[] bytes(
      NativeLibrary lib, Arena arena, MemorySegment program, String sizeOf, String get) {
    MemorySegment size = arena.allocate(LONG);
    check(lib, sizeOf, Driver.call(lib.function(sizeOf, ADDRESS, ADDRESS), program, size));
    MemorySegment out = arena.allocate(Math.max(1, size.get(LONG, 0)));
    check(lib, get, Driver.call(lib.function(get, ADDRESS, ADDRESS), program, out));
    return out.toArray(ValueLayout.JAVA_BYTE);
  }

  private static void check(NativeLibrary lib, String what, int status) {
    if (status != 0) {
      throw new SpillwayException(
          ErrorCode.NOT_AVAILABLE, lib.name() + ": " + what + " failed with " + status);
    }
  }
}
