package io.spillway.tensor;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.jspecify.annotations.Nullable;

/// The shared libraries of libtorch, each after those that it needs.
///
/// JavaCPP extracts and loads one library after the other, `libtorch.so` before the
/// `libtorch_cpu.so` that it needs. On a machine's first run the linker then looks for the needed
/// one elsewhere, and takes that of an installed libtorch (Debian's `libtorch-dev`, or a folder in
/// `LD_LIBRARY_PATH`): two versions in one process, which ends it with a segmentation fault.
final class TorchNatives {
  private static final List<String> CPU =
      List.of("libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libtorch.so");
  private static final List<String> CUDA =
      List.of("libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so");

  private TorchNatives() {}

  /// Loads the CPU build from JavaCPP's cache, extracting what is not there; JavaCPP finds it
  /// loaded afterwards.
  static void loadCpu() {
    Loader.load(openblas_nolapack.class);
    Loader.load(openblas.class);
    for (String name : CPU) {
      File file = extract(Loader.getPlatform(), name);
      if (file != null) {
        System.load(file.getPath());
      }
    }
  }

  /// Extracts the CUDA build into JavaCPP's cache, so that its libraries find each other there;
  /// JavaCPP loads them after CUDA's own.
  static void extractCuda() {
    for (String name : CUDA) {
      extract(Loader.getPlatform() + "-gpu", name);
    }
  }

  /// The library's file, or null where there is none for this platform, which JavaCPP tells.
  private static @Nullable File extract(String platform, String name) {
    URL library =
        TorchNatives.class
            .getClassLoader()
            .getResource("org/bytedeco/pytorch/" + platform + "/" + name);
    try {
      return library == null ? null : Loader.cacheResource(library);
    } catch (IOException e) {
      throw new UnsatisfiedLinkError("cannot extract " + name + ": " + e.getMessage());
    }
  }
}
