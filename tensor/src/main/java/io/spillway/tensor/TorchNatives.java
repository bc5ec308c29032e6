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
  private static final List<String> IN_ORDER =
      List.of("libgomp.so.1", "libc10.so", "libtorch_cpu.so");

  private TorchNatives() {}

  /// Loads them from JavaCPP's cache, extracting what is not there; JavaCPP finds them loaded
  /// afterwards.
  static void load() {
    Loader.load(openblas_nolapack.class);
    Loader.load(openblas.class);
    String platform = Loader.getPlatform() + (GpuNatives.onClassPath() ? "-gpu" : "");
    for (String name : IN_ORDER) {
      File file = extract(platform, name);
      try {
        if (file != null) {
          System.load(file.getPath());
        }
      } catch (UnsatisfiedLinkError e) {
        return; // it needs a part of CUDA, which JavaCPP looks for in more places, and then loads
        // it
      }
    }
  }

  /// The library's file, or null where there is none for this platform, which JavaCPP tells, and
  /// where it lies in a folder of the class path: JavaCPP loads those where they are, each beside
  /// what it needs, and a second copy would end the process.
  private static @Nullable File extract(String platform, String name) {
    URL library =
        TorchNatives.class
            .getClassLoader()
            .getResource("org/bytedeco/pytorch/" + platform + "/" + name);
    try {
      return library == null || library.getProtocol().equals("file")
          ? null
          : Loader.cacheResource(library);
    } catch (IOException e) {
      throw new UnsatisfiedLinkError("cannot extract " + name + ": " + e.getMessage());
    }
  }
}
