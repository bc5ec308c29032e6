package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Json;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A command run over values on threads answers what it answers alone.
class SweepCommandTest {
  @TempDir Path folder;

  private static JsonNode run(int status, String... words) {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.run(words)).isEqualTo(status);
    } finally {
      System.setOut(before);
    }
    return Json.mapper().readTree(out.toString(StandardCharsets.UTF_8));
  }

  private String cluster() throws Exception {
    Cluster cluster =
        Cluster.even(
            "one node",
            1,
            4,
            Accelerators.named("A100-80"),
            Link.of(5e-6, 300e9),
            Network.of(Link.of(10e-6, 25e9), 1));
    return Files.writeString(folder.resolve("cluster.yaml"), cluster.toYaml()).toString();
  }

  private JsonNode sweep(int status, String... command) {
    String[] words = {
      "sweep",
      "--json",
      "--quiet",
      "--store",
      folder.resolve("store.tsv").toString(),
      "--vary",
      "batch=8,16",
      "--"
    };
    String[] all = java.util.Arrays.copyOf(words, words.length + command.length);
    System.arraycopy(command, 0, all, words.length, command.length);
    return run(status, all);
  }

  @Test
  void everyPointAnswersAsTheCommandAlone() throws Exception {
    String cluster = cluster();
    JsonNode swept =
        sweep(0, "plan", "--model", "gpt-3.6b", "--cluster", cluster, "--global-batch", "{batch}")
            .path("results");
    assertThat(swept.size()).isEqualTo(2);
    JsonNode alone =
        run(
            0,
            "plan",
            "--json",
            "--quiet",
            "--model",
            "gpt-3.6b",
            "--cluster",
            cluster,
            "--global-batch",
            "16");
    JsonNode point =
        swept.path("plan --model gpt-3.6b --cluster " + cluster + " --global-batch 16");
    withoutTimes(alone);
    withoutTimes(point);
    assertThat(point).isEqualTo(alone);
  }

  @Test
  void aFailedPointIsNamedAndTheOthersGoOn() throws Exception {
    JsonNode answer =
        sweep(1, "plan", "--model", "gpt-{batch}b", "--cluster", cluster(), "--global-batch", "8");
    assertThat(answer.path("failures").size()).isEqualTo(2);
    assertThat(answer.path("failures").toString()).contains("gpt-16b");
  }

  @Test
  void aNameThatTheCommandLacksIsRefused() {
    assertThat(
            Main.run(
                "sweep",
                "--quiet",
                "--store",
                folder.resolve("s.tsv").toString(),
                "--vary",
                "x=1",
                "--",
                "doctor"))
        .isEqualTo(2);
  }

  /// What the host's speed decides.
  private static void withoutTimes(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.remove("search"); // its counts come with the seconds it took
    }
    for (JsonNode child : node) {
      withoutTimes(child);
    }
  }
}
