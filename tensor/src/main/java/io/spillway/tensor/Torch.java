package io.spillway.tensor;

import io.spillway.platform.SpillwayException;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.global.torch;

/// libtorch as a whole: loading it once, its seed, its threads, its own description.
public final class Torch {
  private static boolean loaded;

  private Torch() {}

  /// Loads libtorch; later calls return at once. Every class of this package calls it first.
  ///
  /// **Errors:** a machine without a matching native library as
  /// [io.spillway.platform.ErrorCode#NOT_AVAILABLE].
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    // mapped weight files count as resident memory, so JavaCPP's own limits would misfire
    System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    if (GpuNatives.onClassPath()
        && System.getProperty("org.bytedeco.javacpp.platform.extension") == null) {
      System.setProperty("org.bytedeco.javacpp.platform.extension", "-gpu");
    }
    try {
      TorchNatives.load();
      Loader.load(torch.class);
    } catch (UnsatisfiedLinkError | NoClassDefFoundError | ExceptionInInitializerError e) {
      throw new SpillwayException(
          io.spillway.platform.ErrorCode.NOT_AVAILABLE,
          "libtorch cannot be loaded on "
              + Loader.getPlatform()
              + " (natives exist for linux-x86_64; the cache is "
              + System.getProperty("user.home")
              + "/.javacpp): "
              + e,
          e);
    }
    HostMemory.keepFreed();
    loaded = true;
  }

  /// Seeds libtorch's generators on every device.
  public static void seed(long seed) {
    load();
    torch.manual_seed(seed);
  }

  /// Makes libtorch take kernels that give the same bits each time where it has them, at some cost;
  /// it warns where it has none. Attention is computed by products and a softmax then, with memory
  /// of the square of the sequence: the fused kernels sum their gradients in any order. On a GPU
  /// the matrix library obeys only if CUBLAS_WORKSPACE_CONFIG is `:4096:8` in the environment.
  public static void deterministic(boolean wanted) {
    load();
    torch.globalContext().setDeterministicAlgorithms(wanted, true);
    torch.globalContext().setSDPUseFlash(!wanted);
    torch.globalContext().setSDPUseMemEfficient(!wanted);
    torch.globalContext().setSDPUseCuDNN(!wanted);
    torch.globalContext().setSDPUseMath(true);
  }

  /// Sets the threads that one CPU operator uses.
  public static void threads(int count) {
    load();
    torch.set_num_threads(count);
  }

  public static int threads() {
    load();
    return torch.get_num_threads();
  }

  /// Lets f32 products on a GPU run in TF32 (10 bits of mantissa), which training can bear.
  public static void allowTf32() {
    load();
    torch.globalContext().setAllowTF32CuBLAS(true);
    torch.globalContext().setAllowTF32CuDNN(true);
  }

  /// libtorch's own description of its build: version, compiler, BLAS, CPU capability.
  public static String buildConfiguration() {
    load();
    try (BytePointer text = torch.show_config()) {
      return text.getString();
    }
  }

  /// How many native objects JavaCPP tracks now; a leak test compares it before and after.
  public static long liveObjects() {
    load();
    return Pointer.totalCount();
  }
}
