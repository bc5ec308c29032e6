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
    // places in CUlaunchConfig and numbers of cuda.h
    private static final long CONFIGURATION_BYTES = 56;
    private static final long STREAM_AT = 32;
    private static final long ATTRIBUTES_AT = 40;
    private static final long ATTRIBUTE_COUNT_AT = 48;
    private static final long ATTRIBUTE_BYTES = 72;
    private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;
    private static final int MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;

    private final CudaContext context;
    private final String name;
    private final MemorySegment handle;

    Kernel(CudaContext context, String name, MemorySegment handle) {
      this.context = context;
      this.name = name;
      this.handle = handle;
    }

    /// How a kernel is laid out on the GPU.
    ///
    /// @param x blocks of the grid
    /// @param y blocks of the grid
    /// @param z blocks of the grid
    /// @param threads in a block
    /// @param sharedBytes of shared memory that a block takes beside what the kernel declares
    /// @param overlapped whether it may begin before the one ahead of it in the stream has ended;
    ///   the kernel itself then waits for that (compute capability 9.0 and later)
    public record Layout(int x, int y, int z, int threads, int sharedBytes, boolean overlapped) {}

    /// Queues the kernel on `stream`, in one row of `blocks`.
    ///
    /// @param threads in a block
    /// @param arguments see the other form
    public void launch(CudaStream stream, int blocks, int threads, Object... arguments) {
      launch(stream.handle().address(), new Layout(blocks, 1, 1, threads, 0, false), arguments);
    }

    /// Queues the kernel.
    ///
    /// @param stream the address of a stream of this GPU
    /// @param arguments `Long` for pointers and 64-bit numbers, `Integer`, `Float`, a
    ///   [MemorySegment] for a structure
    public void launch(long stream, Layout layout, Object... arguments) {
      context.enter();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment pointers = arena.allocate(ADDRESS, Math.max(1, arguments.length));
        for (int i = 0; i < arguments.length; i++) {
          MemorySegment value =
              switch (arguments[i]) {
                case Long x -> arena.allocateFrom(ValueLayout.JAVA_LONG, x);
                case Integer x -> arena.allocateFrom(ValueLayout.JAVA_INT, x);
                case Float x -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, x);
                case MemorySegment structure -> structure;
                default ->
                    throw new IllegalArgumentException("no kernel argument: " + arguments[i]);
              };
          pointers.setAtIndex(ADDRESS, i, value);
        }
        context.check(
            "kernel " + name,
            context.driver().launch,
            configuration(arena, stream, layout),
            handle,
            pointers,
            MemorySegment.NULL);
      }
    }

    /// `CUlaunchConfig` with at most one `CUlaunchAttribute`.
    private static MemorySegment configuration(Arena arena, long stream, Layout layout) {
      MemorySegment config = arena.allocate(CONFIGURATION_BYTES, Long.BYTES);
      int[] numbers = {layout.x, layout.y, layout.z, layout.threads, 1, 1, layout.sharedBytes};
      for (int i = 0; i < numbers.length; i++) {
        config.setAtIndex(ValueLayout.JAVA_INT, i, numbers[i]);
      }
      config.set(ValueLayout.JAVA_LONG, STREAM_AT, stream);
      if (layout.overlapped) {
        MemorySegment attribute = arena.allocate(ATTRIBUTE_BYTES, Long.BYTES);
        attribute.set(ValueLayout.JAVA_INT, 0, PROGRAMMATIC_STREAM_SERIALIZATION);
        attribute.set(ValueLayout.JAVA_INT, Long.BYTES, 1);
        config.set(ADDRESS, ATTRIBUTES_AT, attribute);
        config.set(ValueLayout.JAVA_INT, ATTRIBUTE_COUNT_AT, 1);
      }
      return config;
    }

    /// Lets blocks take that much shared memory beside what the kernel declares.
    public void allowShared(int bytes) {
      context.enter();
      context.check(
          bytes + " bytes of shared memory for " + name,
          context.driver().functionAttribute,
          handle,
          MAX_DYNAMIC_SHARED_SIZE_BYTES,
          bytes);
    }
  }
}
