package io.spillway.planner.measure;

import io.spillway.platform.Machine;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.BytesPerSecond;
import io.spillway.platform.units.FlopsPerSecond;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// What `./spillway profile` runs on every process: links by tournament, hosts by name, and where
/// there is no GPU a measured description of one process's share of the CPU.
public final class ClusterProfiler {
  private static final int NAME_BYTES = 256;

  /// What was measured.
  ///
  /// @param hosts of the processes in order
  public record Profile(Cluster cluster, LinkProfile links, List<String> hosts) {}

  private ClusterProfiler() {}

  /// Every process calls it and gets the same profile.
  ///
  /// @param accelerator a name of the library; empty to take the GPU's, or to measure the CPU
  public static Profile run(
      ProcessGroup world,
      ComputeDevice device,
      List<Long> sizes,
      double secondsEach,
      String name,
      Optional<String> accelerator,
      Progress progress) {
    List<String> hosts = hosts(world, device);
    LinkProfile links = new LinkProfiler(world, device, sizes, secondsEach).run(progress);
    Accelerator described;
    if (accelerator.isPresent()) {
      described = Accelerators.named(accelerator.get());
    } else if (device.isCuda()) {
      described = ProfiledCluster.accelerator(device.description());
    } else {
      described = cpu(world);
    }
    return new Profile(new ProfiledCluster(links, hosts).build(name, described), links, hosts);
  }

  /// The host of each process: its name and its network namespace, which is a host of its own.
  static List<String> hosts(ProcessGroup world, ComputeDevice device) {
    String own;
    try {
      own =
          InetAddress.getLocalHost().getHostName()
              + "@"
              + Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
    } catch (IOException e) {
      own = "host" + world.rank();
    }
    byte[] bytes = Arrays.copyOf(own.getBytes(StandardCharsets.UTF_8), NAME_BYTES);
    long[] numbers = new long[NAME_BYTES];
    Arrays.setAll(numbers, i -> bytes[i]);
    try (TensorScope scope = TensorScope.open()) {
      Tensor mine = scope.adopt(Tensors.to(Tensors.of(numbers, NAME_BYTES), device));
      Tensor all = scope.adopt(Tensors.empty(DType.I64, device, (long) NAME_BYTES * world.size()));
      world.allGather(all, mine);
      long[] gathered = Tensors.longs(all);
      List<String> hosts = new ArrayList<>();
      for (int r = 0; r < world.size(); r++) {
        byte[] name = new byte[NAME_BYTES];
        for (int i = 0; i < NAME_BYTES; i++) {
          name[i] = (byte) gathered[r * NAME_BYTES + i];
        }
        hosts.add(new String(name, StandardCharsets.UTF_8).replace("\0", ""));
      }
      return hosts;
    }
  }

  /// One process's share of the CPU while all processes work.
  static Accelerator cpu(ProcessGroup world) {
    double flops;
    double bandwidth;
    try (NoGrad guard = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert guard != null;
      int n = 512;
      Tensor a = scope.adopt(torch.randn(new long[] {n, n}, Tensors.options(DType.F32)));
      Tensor big = scope.adopt(torch.zeros(new long[] {16 << 20}, Tensors.options(DType.F32)));
      Tensor copy = scope.adopt(torch.zeros(new long[] {16 << 20}, Tensors.options(DType.F32)));
      world.barrier();
      flops = 2.0 * n * n * n / best(() -> scope.adopt(torch.matmul(a, a)), 10);
      world.barrier();
      bandwidth = 2.0 * 4 * (16 << 20) / best(() -> copy.copy_(big), 5);
      world.barrier();
    }
    if (!(flops > 0 && bandwidth > 0)) {
      throw SpillwayException.notAvailable("the CPU's rates could not be measured");
    }
    return new Accelerator(
        "CPU share",
        new Bytes(Machine.current().memoryBytes() / world.size()),
        new BytesPerSecond(Math.round(bandwidth)),
        new Accelerator.FlopRates(
            new FlopsPerSecond(Math.round(flops)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()),
        new BytesPerSecond(Math.round(bandwidth)),
        new BytesPerSecond(Math.round(bandwidth)),
        "measured by spillway profile");
  }

  private static double best(Runnable work, int times) {
    double best = Double.MAX_VALUE;
    for (int i = 0; i < times; i++) {
      long begin = System.nanoTime();
      work.run();
      best = Math.min(best, (System.nanoTime() - begin) / 1e9);
    }
    return best;
  }
}
