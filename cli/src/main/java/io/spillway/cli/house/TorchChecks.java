package io.spillway.cli.house;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.FlopsPerSecond;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// What `doctor` finds out about libtorch and the devices under it.
final class TorchChecks {
  private static final int CPU_SIZE = 1536;
  private static final int GPU_SIZE = 8192;
  private static final long BUDGET_NS = 700_000_000L;

  private TorchChecks() {}

  static List<Finding> all() {
    List<Finding> findings = new ArrayList<>();
    try {
      Torch.load();
    } catch (SpillwayException e) {
      findings.add(
          Finding.bad(
              "libtorch",
              e.getMessage(),
              "longcontext, training and diffusion need it; planner, simulator and reservoir do not"));
      return findings;
    }
    findings.add(libtorch());
    findings.add(gpus());
    for (ComputeDevice device : Devices.all()) {
      int size = device.isCuda() ? GPU_SIZE : CPU_SIZE;
      for (DType type : List.of(DType.F32, DType.BF16)) {
        findings.add(gemm(device, type, size));
      }
    }
    return findings;
  }

  private static Finding libtorch() {
    String text = Torch.buildConfiguration();
    String blas = part(text, "BLAS_INFO=([^,]+)").orElse("unknown");
    String lapack = part(text, "LAPACK_INFO=([^,]+)").orElse("unknown");
    String capability = part(text, "CPU capability usage: (\\S+)").orElse("unknown");
    return Finding.ok(
        "libtorch",
        part(text, "TORCH_VERSION=([^,]+)").orElse("unknown version")
            + ", BLAS "
            + blas
            + ", LAPACK "
            + lapack
            + ", CPU capability "
            + capability
            + ", "
            + Torch.threads()
            + " threads");
  }

  private static Finding gpus() {
    Optional<String> driver =
        HostChecks.output(
            "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader");
    int usable = Devices.cudaCount();
    if (usable > 0) {
      return Finding.ok("GPUs", usable + " usable: " + driver.orElse("").replace("\n", "; "));
    }
    return Finding.note(
        "GPUs",
        driver.map(d -> "seen by the driver, not by libtorch: " + d).orElse("none"),
        Devices.whyNoCuda() + "; everything runs on the CPU");
  }

  /// The rate of a square matrix product, the best of as many as fit the time budget.
  private static Finding gemm(ComputeDevice device, DType type, int size) {
    double best = 0;
    try (TensorScope scope = TensorScope.open()) {
      Tensor a = Tensors.to(torch.rand(new long[] {size, size}), device, type);
      Tensor b = Tensors.to(torch.rand(new long[] {size, size}), device, type);
      Tensor product = torch.matmul(a, b);
      Devices.synchronize(device);
      long begin = System.nanoTime();
      do {
        long start = System.nanoTime();
        torch.matmul_out(product, a, b);
        Devices.synchronize(device);
        best = Math.max(best, 2.0 * size * size * size / ((System.nanoTime() - start) / 1e9));
      } while (System.nanoTime() - begin < BUDGET_NS);
      scope.adopt(product);
    }
    return Finding.ok(
        type.name().toLowerCase(java.util.Locale.ROOT) + " GEMM on " + shortName(device),
        new FlopsPerSecond(best) + " measured (" + size + "³)");
  }

  private static String shortName(ComputeDevice device) {
    return device.isCuda() ? "cuda:" + device.index() : "the CPU";
  }

  private static Optional<String> part(String text, String pattern) {
    Matcher m = Pattern.compile(pattern).matcher(text);
    return m.find() ? Optional.of(m.group(1).strip()) : Optional.empty();
  }
}
