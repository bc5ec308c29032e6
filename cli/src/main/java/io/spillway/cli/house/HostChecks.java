package io.spillway.cli.house;

import io.spillway.platform.Machine;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.BytesPerSecond;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What `doctor` finds out without libtorch: runtime, processor, memory, disk, helper programs.
final class HostChecks {
  private static final List<String> INTERESTING =
      List.of("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16");
  private static final Bytes COMFORTABLE = Bytes.ofGiB(8);
  private static final Bytes DISK_NEEDED = Bytes.ofGiB(4);

  private HostChecks() {}

  static List<Finding> all() {
    List<Finding> findings = new ArrayList<>();
    findings.add(java());
    findings.add(processor());
    findings.add(memory());
    findings.add(bandwidth());
    findings.add(disk());
    findings.add(threads());
    findings.add(
        program(
            "qemu-riscv64",
            "the simulator's differential tests skip; Debian: apt-get install qemu-user"));
    findings.add(
        program(
            "ip",
            "tests over real links skip; Debian: apt-get install iproute2 (and run as root)"));
    findings.add(
        program("node", "tests with the official OpenAI client skip; install Node.js with npm"));
    return findings;
  }

  private static Finding java() {
    String value =
        Runtime.version()
            + ", "
            + System.getProperty("java.vendor")
            + ", "
            + System.getProperty("java.home");
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
        ? Finding.ok("Java", value)
        : Finding.bad(
            "Java", value + ", no Vector API", "start through ./spillway, which adds the module");
  }

  private static Finding processor() {
    Optional<String> flags = Machine.cpuField("flags").or(() -> Machine.cpuField("Features"));
    Set<String> have = flags.map(f -> Set.of(f.split(" +"))).orElse(Set.of());
    String shown = INTERESTING.stream().filter(have::contains).collect(Collectors.joining(" "));
    Machine machine = Machine.current();
    String value = machine.cpu() + ", " + machine.cores() + " cores, " + shown;
    return have.isEmpty() || have.contains("avx2") || have.contains("asimd")
        ? Finding.ok("processor", value)
        : Finding.note("processor", value, "without AVX2 the kernels fall back to slow code");
  }

  private static Finding memory() {
    Bytes total = new Bytes(Machine.current().memoryBytes());
    Bytes heap = new Bytes(Runtime.getRuntime().maxMemory());
    String value = total + " physical, Java heap up to " + heap;
    return total.compareTo(COMFORTABLE) >= 0
        ? Finding.ok("memory", value)
        : Finding.note(
            "memory", value, "tests and demo want " + COMFORTABLE + "; close other programs");
  }

  /// Reads and writes 256 MiB with every core: two passes to warm up, the best of six counts.
  private static Finding bandwidth() {
    int threads = Runtime.getRuntime().availableProcessors();
    double best = 0;
    try (Arena arena = Arena.ofShared()) {
      long size = 256L << 20;
      MemorySegment from = arena.allocate(size, 64);
      MemorySegment to = arena.allocate(size, 64);
      for (int pass = 0; pass < 8; pass++) {
        long begin = System.nanoTime();
        copyInParallel(from, to, threads);
        double rate = 2.0 * size / ((System.nanoTime() - begin) / 1e9);
        best = pass < 2 ? 0 : Math.max(best, rate);
      }
    }
    return Finding.ok(
        "memory bandwidth",
        new BytesPerSecond(best)
            + " measured (copy, read and write counted, "
            + threads
            + " threads)");
  }

  private static void copyInParallel(MemorySegment from, MemorySegment to, int threads) {
    long share = from.byteSize() / threads / 64 * 64;
    List<Thread> workers = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      long begin = t * share;
      long length = t == threads - 1 ? from.byteSize() - begin : share;
      workers.add(
          Thread.ofPlatform().start(() -> MemorySegment.copy(from, begin, to, begin, length)));
    }
    for (Thread worker : workers) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static Finding disk() {
    Path home = Path.of(System.getProperty("user.home"));
    try {
      FileStore store = Files.getFileStore(home);
      Bytes free = new Bytes(store.getUsableSpace());
      return free.compareTo(DISK_NEEDED) >= 0
          ? Finding.ok("disk", free + " free below " + home)
          : Finding.note(
              "disk",
              free + " free below " + home,
              "libraries and their natives want " + DISK_NEEDED);
    } catch (IOException e) {
      return Finding.note("disk", "cannot be read: " + e.getMessage(), "check " + home);
    }
  }

  private static String named(String variable, @Nullable String value) {
    return variable + (value == null ? " is not set" : "=" + value);
  }

  private static Finding threads() {
    String core = System.getenv("OPENBLAS_CORETYPE");
    String blas = System.getenv("OPENBLAS_NUM_THREADS");
    String wait = System.getenv("OMP_WAIT_POLICY");
    String value =
        named("OPENBLAS_NUM_THREADS", blas)
            + named(", OMP_WAIT_POLICY", wait)
            + named(", OPENBLAS_CORETYPE", core);
    return core == null && "1".equals(blas) && "passive".equals(wait)
        ? Finding.ok("thread settings", value)
        : Finding.note(
            "thread settings",
            value,
            "start through ./spillway, which sets 1 and passive and unsets the core type");
  }

  private static Finding program(String name, String missing) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    Optional<Path> found =
        Stream.of(path.split(":"))
            .filter(p -> !p.isEmpty())
            .map(p -> Path.of(p, name))
            .filter(Files::isExecutable)
            .findFirst();
    return found
        .map(p -> Finding.ok(name, p.toString()))
        .orElseGet(() -> Finding.note(name, "not found", missing));
  }

  /// The first line of a program's output, if it ends well within some seconds.
  static Optional<String> output(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return Optional.empty();
      }
      String text =
          new String(
              process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      return process.exitValue() == 0 ? Optional.of(text.strip()) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
