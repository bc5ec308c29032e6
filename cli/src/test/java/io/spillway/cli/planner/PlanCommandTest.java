package io.spillway.cli.planner;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.cli.Main;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PlanCommandTest {
  private static final String CLUSTER =
      """
      name: two
      nodes: [{names: [a, b], accelerator: A100-80, gpus: 4}]
      network: {link: {alpha: 10 us, beta: 20 GB/s}}
      """;

  @TempDir Path folder;

  @Test
  void writesThePlanAndItsFiles() throws Exception {
    Path out = folder.resolve("plan");
    assertThat(plan(CLUSTER, "--out", out.toString())).isZero();
    assertThat(out.resolve("megatron.args")).isNotEmptyFile();
    assertThat(out.resolve("plan.html")).content().contains("<svg", "Configurations");
    assertThat(out.resolve("run.json")).isNotEmptyFile();
  }

  @Test
  void badInputEndsWithTwoAndWritesNothing() throws Exception {
    Path out = folder.resolve("none");
    for (String broken :
        List.of(
            CLUSTER.replace("gpus: 4", "gpus: 0"),
            CLUSTER.replace("gpus: 4", "gpsu: 4"),
            CLUSTER.replace("A100-80", "A10080x"),
            CLUSTER.replace("20 GB/s", "-20 GB/s"),
            "")) {
      assertThat(plan(broken, "--out", out.toString())).isEqualTo(2);
      assertThat(out).doesNotExist();
    }
    assertThat(plan(CLUSTER, "--seq", "4096", "--out", out.toString())).isEqualTo(2);
    assertThat(plan(CLUSTER, "--global-batch", "0", "--out", out.toString())).isEqualTo(2);
    assertThat(plan(CLUSTER, "--precision", "FP8", "--out", out.toString())).isEqualTo(2);
    assertThat(out).doesNotExist();
  }

  @Test
  void whatDoesNotFitEndsWithThree() throws Exception {
    assertThat(plan(CLUSTER, "--model", "gpt-1t")).isEqualTo(3);
  }

  private int plan(String yaml, String... more) throws Exception {
    Path cluster = Files.writeString(folder.resolve("c.yaml"), yaml);
    List<String> args = new ArrayList<>(List.of(more));
    if (!args.contains("--model")) {
      args.addAll(List.of("--model", "gpt-1.3b"));
    }
    if (!args.contains("--global-batch")) {
      args.addAll(List.of("--global-batch", "32"));
    }
    args.addAll(
        0, List.of("plan", "--quiet", "--cluster", cluster.toString(), "--time-limit", "5"));
    return Main.run(args.toArray(String[]::new));
  }
}
