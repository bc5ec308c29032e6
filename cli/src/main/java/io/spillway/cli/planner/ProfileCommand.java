package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.planner.measure.ClusterProfiler;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.platform.launch.RankLauncher;
import io.spillway.platform.units.Bytes;
import io.spillway.report.TextTable;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `spillway profile`: measures the links between ranks and writes the cluster for `plan`.
@Command(
    description =
        "Measures the links between ranks and writes them as a cluster for ./spillway plan. Alone it"
            + " starts --nproc ranks on this host; under spillway launch, torchrun or srun it is one"
            + " of the ranks.")
public final class ProfileCommand extends SpillwayCommand {
  @Spec private @Nullable CommandSpec command;

  @Option(
      names = "--nproc",
      description =
          "Ranks to start on this host when it is run alone (default: one for each GPU, else 2).")
  Optional<Integer> processes = Optional.empty();

  @Option(
      names = "--backend",
      description = "gloo between CPUs or nccl between GPUs (default: nccl where CUDA works).")
  Optional<String> backend = Optional.empty();

  @Option(
      names = "--sizes",
      split = ",",
      defaultValue = "4KiB,64KiB,1MiB,8MiB",
      description = "Message sizes, rising (default: ${DEFAULT-VALUE}).")
  List<String> sizes = new ArrayList<>();

  @Option(
      names = "--seconds",
      defaultValue = "0.2",
      description = "Seconds for each size and direction of a pair (default: ${DEFAULT-VALUE}).")
  double seconds;

  @Option(
      names = "--accelerator",
      description =
          "Accelerator of the library that each rank stands for (default: the GPU found, or the"
              + " measured share of the CPU).")
  Optional<String> accelerator = Optional.empty();

  @Option(
      names = "--name",
      defaultValue = "profiled",
      description = "Name of the cluster (default: ${DEFAULT-VALUE}).")
  String name = "profiled";

  @Option(
      names = "--network",
      description =
          "Interface or own address that Gloo listens at (default: GLOO_SOCKET_IFNAME, else the way"
              + " to MASTER_ADDR).")
  Optional<String> network = Optional.empty();

  @Option(
      names = "--timeout",
      defaultValue = "60",
      description = "Seconds that a rank waits for another (default: ${DEFAULT-VALUE}).")
  int timeout;

  @Option(
      names = "--out",
      defaultValue = "cluster.yaml",
      description = "File for the cluster (default: ${DEFAULT-VALUE}).")
  Path out = Path.of("cluster.yaml");

  private int status;

  @Override
  protected void execute() throws InterruptedException {
    List<Long> bytes = sizes();
    if (!(seconds > 0 && seconds <= 60)) {
      throw SpillwayException.badInput("--seconds %s must be above 0, at most 60", seconds);
    }
    if (timeout < 1) {
      throw SpillwayException.badInput("--timeout %d s must be at least 1", timeout);
    }
    accelerator.ifPresent(io.spillway.platform.hardware.Accelerators::named);
    if (RankEnvironment.isSet()) {
      measure(RankEnvironment.current(), bytes);
    } else {
      launch();
    }
  }

  private List<Long> sizes() {
    List<Long> bytes = new ArrayList<>();
    for (String text : sizes) {
      long size = Bytes.parse(text).bytes();
      if (size < 4 || size % 4 != 0 || !bytes.isEmpty() && size <= bytes.getLast()) {
        throw SpillwayException.badInput(
            "--sizes %s: sizes must rise and be multiples of 4 bytes", String.join(",", sizes));
      }
      bytes.add(size);
    }
    return bytes;
  }

  /// Starts the ranks; what rank 0 says is the answer.
  private void launch() throws InterruptedException {
    int count = processes.orElseGet(() -> Math.max(2, Devices.cudaCount()));
    if (count < 2) {
      throw SpillwayException.badInput("--nproc %d: links need at least 2 ranks", count);
    }
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-Xmx512m",
            "-Xshare:auto",
            "-Xlog:disable",
            "-cp",
            System.getProperty("java.class.path"),
            "io.spillway.cli.Main",
            "profile"));
    CommandSpec own = java.util.Objects.requireNonNull(command, "picocli sets the spec");
    line.addAll(own.commandLine().getParseResult().originalArgs());
    RankLauncher.Outcome outcome = RankLauncher.run(LaunchSpec.local(count, line), this::pass);
    status = outcome.exitStatus();
    if (outcome.failedRank() >= 0) {
      System.err.println("spillway: " + outcome.explanation());
    }
  }

  private void pass(int rank, boolean error, String text) {
    boolean chatter = text.startsWith("[Gloo]") || text.contains("socket.cpp");
    if (!chatter && rank == 0) {
      (error ? System.err : System.out).println(text);
    }
  }

  private void measure(RankEnvironment environment, List<Long> bytes) {
    if (environment.worldSize() < 2) {
      throw SpillwayException.badInput("WORLD_SIZE=1: links need at least 2 ranks");
    }
    GroupBackend kind =
        backend
            .map(GroupBackend::of)
            .orElse(Devices.cudaCount() > 0 ? GroupBackend.NCCL : GroupBackend.GLOO);
    ComputeDevice device = Devices.choose(kind == GroupBackend.NCCL ? "cuda" : "cpu");
    GroupOptions options = new GroupOptions(Duration.ofSeconds(timeout), network, 2);
    boolean speaks = environment.rank() == 0;
    try (ProcessGroup world = ProcessGroup.init(kind, environment, options)) {
      ClusterProfiler.Profile profile =
          ClusterProfiler.run(
              world,
              device,
              bytes,
              seconds,
              name,
              accelerator,
              speaks ? progress() : io.spillway.platform.Progress.silent());
      if (speaks) {
        String yaml = header(kind, device) + profile.cluster().toYaml();
        AtomicFiles.writeString(out, yaml);
        Path folder = newRunFolder();
        AtomicFiles.writeString(folder.resolve("cluster.yaml"), yaml);
        record(folder, 0, json(profile, kind));
        answer(
            json(profile, kind), text(profile, kind, device) + "\nrecord: " + folder + "/run.json");
      }
      world.barrier();
    }
  }

  private String header(GroupBackend kind, ComputeDevice device) {
    return String.format(
        "# measured by ./spillway profile: %s between %s%n",
        kind.name().toLowerCase(Locale.ROOT), device);
  }

  private Map<String, Object> json(ClusterProfiler.Profile profile, GroupBackend kind) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("backend", kind.name().toLowerCase(Locale.ROOT));
    all.put("hosts", profile.hosts());
    all.put("sizes", profile.links().sizes());
    all.put("seconds", profile.links().seconds());
    all.put("cluster", out.toString());
    return all;
  }

  private String text(ClusterProfiler.Profile profile, GroupBackend kind, ComputeDevice device) {
    List<String> heads = new ArrayList<>(List.of("from", "to", "alpha", "beta"));
    profile.links().sizes().forEach(s -> heads.add(new Bytes(s).toString()));
    TextTable table = new TextTable(heads.toArray(String[]::new));
    int n = profile.links().processes();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (i != j) {
          Link link = profile.links().link(i, j);
          List<String> row =
              new ArrayList<>(
                  List.of(
                      Integer.toString(i),
                      Integer.toString(j),
                      String.format(Locale.ROOT, "%.1f us", link.alpha().seconds() * 1e6),
                      link.beta().toString()));
          for (int s = 0; s < profile.links().sizes().size(); s++) {
            row.add(
                String.format(Locale.ROOT, "%.3g ms", profile.links().seconds()[i][j][s] * 1e3));
          }
          table.row(row.toArray(String[]::new));
        }
      }
    }
    return String.format(
        "%s between %d ranks, %s%n%s%nwritten: %s (use it with ./spillway plan --cluster %s)",
        kind.name().toLowerCase(Locale.ROOT), n, device, table.render(200), out, out);
  }

  @Override
  protected int exitStatus() {
    return status;
  }
}
