package io.spillway.tensor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/// The CUDA build of libtorch, an add-on that is found at run time: the jars with classifier
/// `linux-x86_64-gpu` on the class path (see CONTRIBUTING). Without it everything runs on the CPU.
final class GpuNatives {
  private GpuNatives() {}

  /// Whether the CUDA natives are on the class path.
  static boolean onClassPath() {
    return GpuNatives.class
            .getClassLoader()
            .getResource("org/bytedeco/pytorch/linux-x86_64-gpu/libjnitorch_cuda.so")
        != null;
  }

  /// Name and memory of a CUDA device as the driver tells them.
  static String deviceName(int index) {
    try {
      Process smi =
          new ProcessBuilder(
                  "nvidia-smi",
                  "--query-gpu=name,memory.total",
                  "--format=csv,noheader",
                  "-i",
                  Integer.toString(index))
              .redirectErrorStream(true)
              .start();
      smi.getOutputStream().close();
      String text = new String(smi.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (smi.waitFor(10, TimeUnit.SECONDS) && smi.exitValue() == 0) {
        return text.strip();
      }
      return "NVIDIA GPU";
    } catch (IOException e) {
      return "NVIDIA GPU";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "NVIDIA GPU";
    }
  }
}
