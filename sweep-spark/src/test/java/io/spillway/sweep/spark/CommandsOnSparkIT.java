package io.spillway.sweep.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.cli.CommandTask;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventFormat;
import io.spillway.sweep.Sweep;
import io.spillway.sweep.SweepExecutor;
import io.spillway.sweep.SweepExecutors;
import io.spillway.sweep.SweepPoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Searches of the planner, cells of an evaluation and seeds of a reservoir on executor processes:
/// the answers are those of threads, but for times, also when an executor dies in between.
class CommandsOnSparkIT {
  @TempDir Path folder = Path.of("");

  @Test
  void searchesCellsAndSeedsAnswerAsOnThreads() throws Exception {
    Path events = Files.createDirectories(folder.resolve("events"));
    for (int i = 0; i < 12; i++) {
      Path of = Files.createDirectories(events.resolve(Integer.toString(i % 2)));
      EventFiles.write(
          of.resolve(i + ".bin"),
          EventFormat.NMNIST,
          Saccades.record(
              DrawnDigits.draw(i % 2, new Seeds(i).stream("hand")),
              PixelModel.NMNIST,
              new Seeds(i).stream("camera")));
    }
    Path cluster =
        Files.writeString(
            folder.resolve("cluster.yaml"),
            Cluster.even(
                    "two nodes",
                    2,
                    8,
                    Accelerators.named("A100-80"),
                    Link.of(5e-6, 300e9),
                    Network.of(Link.of(10e-6, 25e9), 1))
                .toYaml());
    List<SweepPoint> points = new ArrayList<>();
    for (String model : List.of("gpt-3.6b", "gpt-18.4b")) {
      points.add(
          point(
              "plan",
              "--model",
              model,
              "--cluster",
              cluster.toString(),
              "--global-batch",
              "64",
              "--time-limit",
              "600")); // never reached: a search that time ends answers by the host's speed
    }
    for (String policy : List.of("locret", "streaming")) {
      points.add(
          point(
              "longcontext",
              "eval",
              "--policies",
              policy,
              "--budgets",
              "64",
              "--lengths",
              "256",
              "--tasks",
              "passkey",
              "--samples",
              "4",
              "--no-plots",
              "--device",
              "cpu"));
    }
    for (String seed : List.of("1", "2")) {
      points.add(
          point(
              "reservoir",
              "train",
              "--events",
              events.toString(),
              "--folds",
              "2",
              "--neurons",
              "256",
              "--seed",
              seed));
    }
    Map<String, String> local = run(SweepExecutors.of("local", 2), points, "local.tsv");
    // one of the two executors dies when the first answer has come
    KillingExecutor killing =
        new KillingExecutor(SweepExecutors.of("local-cluster[2,1,1536]", 1), 1);
    Map<String, String> spark = run(killing, points, "spark.tsv");
    assertThat(local).hasSize(6);
    assertThat(spark).isEqualTo(local);
    assertThat(killing.killed()).hasSize(1);
    assertThat(killing.heard()).hasSize(6).doesNotHaveDuplicates();
  }

  private static SweepPoint point(String... words) {
    return new SweepPoint(
        String.join(" ", words), Map.of(CommandTask.WORDS, Json.line(List.of(words))));
  }

  private Map<String, String> run(SweepExecutor executor, List<SweepPoint> points, String store)
      throws Exception {
    Sweep.Outcome outcome =
        Sweep.run(points, new CommandTask(), executor, folder.resolve(store), Progress.silent());
    assertThat(outcome.failures()).isEmpty();
    Map<String, String> answers = new TreeMap<>();
    for (Map.Entry<String, String> each : outcome.results().entrySet()) {
      JsonNode answer = Json.mapper().readTree(each.getValue());
      withoutTimes(answer);
      answers.put(each.getKey(), Json.line(answer));
    }
    return answers;
  }

  /// Takes out what the host's speed decides, and the folder that a run names for itself.
  private static void withoutTimes(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.remove(List.of("log", "seconds", "folder", "files"));
    }
    for (JsonNode child : node) {
      withoutTimes(child);
    }
  }
}
