package io.spillway.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.cuda.CUDAStream;
import org.bytedeco.pytorch.cuda.DeviceAssertionsDataVectorCUDAKernelLaunchInfoVectorPair;
import org.bytedeco.pytorch.cuda.MemPool;
import org.bytedeco.pytorch.cuda.StreamFilter;
import org.bytedeco.pytorch.global.torch_cuda;
import org.jspecify.annotations.Nullable;

/// A recorded run of kernels that is launched again as a whole, for steps whose kernels are shorter
/// than the time to start them one by one.
///
/// What the body computes must depend on memory alone: tensors that exist before the capture are
/// read and written at their addresses, shapes are fixed, and nothing may wait for the device.
/// Temporary tensors of the body come from a pool that the graph owns.
///
/// A body may call [#between] for what cannot be recorded, such as an exchange with other ranks:
/// the recording is then in pieces, and every launch does these things between the pieces' kernels.
///
/// CUDA's runtime is called directly, since the preset has no `at::cuda::CUDAGraph`.
public final class CudaGraph implements AutoCloseable {
  private static final int THREAD_LOCAL_MODE = 1; // cudaStreamCaptureModeThreadLocal

  /// The numbers of all pools, sixteen bytes each, which stay for good: the preset would free one
  /// as the pair of vectors that its name says, and crash.
  private static final Set<Pointer> POOLS = ConcurrentHashMap.newKeySet();

  private final byte device;
  private final CUDAStream stream;
  private final DeviceAssertionsDataVectorCUDAKernelLaunchInfoVectorPair pool;
  private final List<Piece> pieces;
  private boolean closed;

  /// Recorded kernels and what the host does after it has queued them.
  private record Piece(MemorySegment executable, Runnable after) {}

  /// The recording that this thread is at.
  private static final ThreadLocal<@Nullable Recording> RECORDING = new ThreadLocal<>();

  /// Says which allocations belong to the pool while a capture runs: those of the capturing thread.
  /// One for the process, since the preset hands out few callbacks.
  private static final class CapturingThread extends StreamFilter {
    static final CapturingThread FILTER = new CapturingThread();

    volatile long owner;

    CapturingThread() {
      retainReference(); // lives as long as the process, whatever scope is open now
    }

    @Override
    public boolean call(Pointer stream) {
      return Thread.currentThread().threadId() == owner;
    }
  }

  private CudaGraph(
      byte device,
      CUDAStream stream,
      DeviceAssertionsDataVectorCUDAKernelLaunchInfoVectorPair pool,
      List<Piece> pieces) {
    this.device = device;
    this.stream = stream;
    this.pool = pool;
    this.pieces = pieces;
  }

  /// What a body does on the host at this place each time: at once where nothing is recorded, else
  /// in every launch, when the kernels before it have been queued, those after it not yet.
  public static void between(Runnable action) {
    Recording recording = RECORDING.get();
    if (recording == null) {
      action.run();
    } else {
      recording.interrupt(action);
    }
  }

  /// Runs `body` twice to warm up, then records it.
  ///
  /// **Errors:** [IllegalStateException] with CUDA's error when `body` cannot be recorded; what the
  /// warm-up wrote stays written.
  ///
  /// @param ordinal of the GPU
  /// @param restore undoes what one run of `body` changed, called after each warm-up run
  public static CudaGraph capture(int ordinal, Runnable body, Runnable restore) {
    byte device = (byte) ordinal;
    CUDAStream before = torch_cuda.getCurrentCUDAStream(device);
    CUDAStream side = torch_cuda.getStreamFromPool(false, device);
    var pool = MemPool.graph_pool_handle(false);
    side.retainReference();
    pool.retainReference();
    POOLS.add(pool);
    before.synchronize();
    torch_cuda.setCurrentCUDAStream(side);
    try {
      for (int i = 0; i < 2; i++) {
        TensorScope.run(body);
        TensorScope.run(restore);
      }
      side.synchronize();
      Recording recording = new Recording(handle(side));
      synchronized (CapturingThread.FILTER) {
        CapturingThread.FILTER.owner = Thread.currentThread().threadId();
        torch_cuda.beginAllocateToPool(device, pool, CapturingThread.FILTER);
        boolean whole = false;
        try {
          recording.run(body);
          whole = true;
        } finally {
          torch_cuda.endAllocateToPool(device, pool);
          if (!whole) {
            torch_cuda.getAllocator().releasePool(device, pool);
          }
        }
      }
      return new CudaGraph(device, side, pool, List.copyOf(recording.pieces));
    } catch (RuntimeException e) {
      side.releaseReference();
      throw e;
    } finally {
      torch_cuda.setCurrentCUDAStream(before);
    }
  }

  /// Puts the recorded kernels into the current stream once more, without waiting for them.
  public void launch() {
    if (closed) {
      throw new IllegalStateException("this CudaGraph is closed");
    }
    MemorySegment current = handle(torch_cuda.getCurrentCUDAStream(device));
    for (Piece piece : pieces) {
      Runtime.launch(piece.executable, current);
      piece.after.run();
    }
  }

  /// Into how many pieces the body fell.
  public int pieces() {
    return pieces.size();
  }

  /// The address of the stream that libtorch queues on now, for kernels of our own.
  public static long currentStream(ComputeDevice device) {
    return handle(torch_cuda.getCurrentCUDAStream((byte) device.index())).address();
  }

  private static MemorySegment handle(CUDAStream stream) {
    // the return type of this method lives in a jar that only GPU machines have
    try {
      Pointer p = (Pointer) CUDAStream.class.getMethod("stream").invoke(stream);
      return MemorySegment.ofAddress(p == null ? 0 : p.address());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the CUDA preset gives no stream handle: " + e, e);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    torch_cuda.getCurrentCUDAStream(device).synchronize();
    pieces.forEach(p -> Runtime.destroy(p.executable));
    torch_cuda.getAllocator().releasePool(device, pool);
    stream.releaseReference();
  }

  /// One capture under way, piece by piece.
  private static final class Recording {
    private final MemorySegment stream;
    private final List<Piece> pieces = new ArrayList<>();

    Recording(MemorySegment stream) {
      this.stream = stream;
    }

    void run(Runnable body) {
      RECORDING.set(this);
      boolean whole = false;
      try {
        Runtime.begin(stream);
        TensorScope.run(body);
        whole = true;
      } finally {
        RECORDING.remove();
        if (!whole) {
          Runtime.abandon(stream);
          pieces.forEach(p -> Runtime.destroy(p.executable));
        }
      }
      pieces.add(new Piece(Runtime.instantiate(Runtime.end(stream)), () -> {}));
    }

    void interrupt(Runnable action) {
      pieces.add(new Piece(Runtime.instantiate(Runtime.end(stream)), action));
      Runtime.begin(stream);
    }
  }

  /// The seven functions of libcudart that a graph needs.
  private static final class Runtime {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final java.lang.foreign.AddressLayout ADDRESS = ValueLayout.ADDRESS;
    private static final SymbolLookup LIBRARY = library();
    private static final MethodHandle BEGIN = bind("cudaStreamBeginCapture", ADDRESS, INT);
    private static final MethodHandle END = bind("cudaStreamEndCapture", ADDRESS, ADDRESS);
    private static final MethodHandle MAKE = bind("cudaGraphInstantiate", ADDRESS, ADDRESS, LONG);
    private static final MethodHandle LAUNCH = bind("cudaGraphLaunch", ADDRESS, ADDRESS);
    private static final MethodHandle DESTROY_GRAPH = bind("cudaGraphDestroy", ADDRESS);
    private static final MethodHandle DESTROY = bind("cudaGraphExecDestroy", ADDRESS);
    private static final MethodHandle LAST_ERROR = bind("cudaGetLastError");

    private Runtime() {}

    private static SymbolLookup library() {
      RuntimeException last = new IllegalStateException("libcudart was not found");
      for (String name : new String[] {"libcudart.so.13", "libcudart.so.12", "libcudart.so"}) {
        try {
          return SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException e) {
          last = e;
        }
      }
      throw last;
    }

    private static MethodHandle bind(String name, java.lang.foreign.MemoryLayout... arguments) {
      return Linker.nativeLinker()
          .downcallHandle(LIBRARY.find(name).orElseThrow(), FunctionDescriptor.of(INT, arguments));
    }

    static void begin(MemorySegment stream) {
      check("cudaStreamBeginCapture", call(BEGIN, stream, THREAD_LOCAL_MODE));
    }

    static MemorySegment end(MemorySegment stream) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment out = arena.allocate(ADDRESS);
        check("cudaStreamEndCapture", call(END, stream, out));
        return out.get(ADDRESS, 0);
      }
    }

    /// Ends a capture whose body failed, whatever became of it.
    static void abandon(MemorySegment stream) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment out = arena.allocate(ADDRESS);
        if (call(END, stream, out) == 0 && out.get(ADDRESS, 0).address() != 0) {
          call(DESTROY_GRAPH, out.get(ADDRESS, 0));
        }
        call(LAST_ERROR); // a failed capture leaves its error behind, for whoever asks next
      }
    }

    static MemorySegment instantiate(MemorySegment graph) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment out = arena.allocate(ADDRESS);
        check("cudaGraphInstantiate", call(MAKE, out, graph, 0L));
        return out.get(ADDRESS, 0);
      } finally {
        check("cudaGraphDestroy", call(DESTROY_GRAPH, graph));
      }
    }

    static void launch(MemorySegment executable, MemorySegment stream) {
      check("cudaGraphLaunch", call(LAUNCH, executable, stream));
    }

    static void destroy(MemorySegment executable) {
      check("cudaGraphExecDestroy", call(DESTROY, executable));
    }

    private static int call(MethodHandle function, Object... arguments) {
      try {
        return (int) function.invokeWithArguments(arguments);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    private static void check(String function, int code) {
      if (code != 0) {
        throw new IllegalStateException(function + " failed with CUDA error " + code);
      }
    }
  }
}
