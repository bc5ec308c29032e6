package io.spillway.planner.measure;

import io.spillway.platform.Json;
import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankLauncher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Runs [Experiment] in processes of its own.
final class MeasuredJob {
  private MeasuredJob() {}

  static Experiment.Outcome run(int processes, Experiment.Plan plan, Path folder)
      throws InterruptedException {
    return run(processes, plan, folder, List.of(), "127.0.0.1", false);
  }

  /// @param prefixes what to put before each process's command
  /// @param master address of process 0
  static Experiment.Outcome run(
      int processes,
      Experiment.Plan plan,
      Path folder,
      List<List<String>> prefixes,
      String master,
      boolean talk)
      throws InterruptedException {
    Path request = folder.resolve("plan.json");
    Path outcome = folder.resolve("outcome.json");
    try {
      Files.writeString(request, Json.write(plan));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Experiment.class.getName(),
            request.toString(),
            outcome.toString());
    LaunchSpec spec =
        new LaunchSpec(
            command,
            processes,
            1,
            0,
            master,
            LaunchSpec.freePort(),
            Map.of("OMP_NUM_THREADS", "1"),
            prefixes,
            LaunchSpec.DEFAULT_GRACE);
    RankLauncher.Outcome ended =
        RankLauncher.run(
            spec,
            (rank, error, text) -> {
              if (error || talk && !text.startsWith("[Gloo]")) {
                System.err.println("[rank " + rank + "] " + text);
              }
            });
    if (ended.exitStatus() != 0) {
      throw new IllegalStateException(ended.explanation());
    }
    return Json.read(outcome, Experiment.Outcome.class);
  }
}
