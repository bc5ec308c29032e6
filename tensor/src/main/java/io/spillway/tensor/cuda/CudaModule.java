package io.spillway.tensor.cuda;

import static io.spillway.tensor.cuda.NativeLibrary.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Kernels that were compiled at run time. They stay loaded as long as the process.
public final class CudaModule {
  private final CudaContext context;
  private final MemorySegment handle;

  CudaModule(CudaContext context, byte[] image) {
    this.context = context;
    context.enter();
    try (Arena arena = Arena.ofConfined()) {
      // a terminating zero: PTX is text
      MemorySegment code = arena.allocate(image.length + 1L, 64);
      MemorySegment.copy(image, 0, code, ValueLayout.JAVA_BYTE, 0, image.length);
      MemorySegment out = arena.allocate(ADDRESS);
      context.check("loading kernels", context.driver().moduleLoad, out, code);
      handle = out.get(ADDRESS, 0);
    }
  }

  /// The kernel of that name, declared `extern "C"`.
  public Kernel kernel(String name) {
    context.enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      context.check(
          "finding kernel " + name,
          context.driver().moduleFunction,
          out,
          handle,
          arena.allocateFrom(name));
      return new Kernel(context, name, out.get(ADDRESS, 0));
    }
  }

  /// One kernel.
  public static final class Kernel {
    private final CudaContext context;
    private final String name;
    private final MemorySegment handle;

    Kernel(CudaContext context, String name, MemorySegment handle) {
      this.context = context;
      this.name = name;
      this.handle = handle;
    }

    /// Queues the kernel on `stream`.
    ///
    /// @param blocks in the grid
    /// @param threads in a block
    /// @param arguments `Long` for pointers and 64-bit numbers, `Integer`, `Float`
    public void launch(CudaStream stream, int blocks, int threads, Object... arguments) {
      context.enter();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment pointers = arena.allocate(ADDRESS, arguments.length);
        for (int i = 0; i < arguments.length; i++) {
          MemorySegment value =
              switch (arguments[i]) {
                case Long x -> arena.allocateFrom(ValueLayout.JAVA_LONG, x);
                case Integer x -> arena.allocateFrom(ValueLayout.JAVA_INT, x);
                case Float x -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, x);
                default ->
                    throw new IllegalArgumentException("no kernel argument: " + arguments[i]);
              };
          pointers.setAtIndex(ADDRESS, i, value);
        }
        context.check(
            "kernel " + name,
            context.driver().launch,
            handle,
            blocks,
            1,
            1,
            threads,
            1,
            1,
            0,
            stream.handle(),
            pointers,
            MemorySegment.NULL);
      }
    }
  }
}
