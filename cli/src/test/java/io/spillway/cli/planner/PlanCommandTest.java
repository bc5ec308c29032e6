package io.spillway.cli.planner;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.cli.Main;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
  void theExampleOfTheDocumentsIsACluster() {
    Path example =
        Path.of(System.getProperty("spillway.root", ".."), "docs", "examples", "cluster.yaml");
    assertThat(Main.run("cluster", "show", example.toString(), "--json")).isZero();
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
  void aMeasuredMatrixThatIsNoMatrixEndsWithTwoAndWritesNothing() throws Exception {
    Path out = folder.resolve("none");
    String sound = "[[0, 20], [20, 0]]";
    String measured =
        CLUSTER.replace(
            "beta: 20 GB/s}", "beta: 20 GB/s}, measured: [{gigabytes_per_second: " + sound + "}]");
    assertThat(plan(measured, "--out", out.toString())).isZero();
    assertThat(out).exists();
    Path none = folder.resolve("nothing");
    for (String broken :
        List.of(
            "[[0, 20], [20]]",
            "[[0, 20]]",
            "[[0, -20], [20, 0]]",
            "[[0, 0], [20, 0]]",
            "[[0, .nan], [20, 0]]",
            "[[0, .inf], [20, 0]]",
            "[[0, fast], [20, 0]]",
            "[[0, 2], [20, 0]]",
            "[[0, 20, 20], [20, 0, 20], [20, 20, 0]]")) {
      String err = refused(() -> plan(measured.replace(sound, broken), "--out", none.toString()));
      assertThat(err).as(broken).startsWith("spillway: ").hasLineCount(1);
      assertThat(none).doesNotExist();
    }
    assertThat(refused(() -> plan(measured.replace("[a, b]", "[a, a]"), "--out", none.toString())))
        .contains("the node name 'a' is given twice");
  }

  @Test
  void aGivenCutThatSuitsNothingEndsWithTwo() throws Exception {
    String[][] wrong = {
      {"--tp", "3"},
      {"--pp", "0"},
      {"--dp", "-3"},
      {"--micro-batch", "5"},
      {"--ep", "2"},
      {"--virtual", "2"},
      {"--tp", "2", "--dp", "2"},
      {"--global-batch", "7"}
    };
    Path cluster = Files.writeString(folder.resolve("c.yaml"), CLUSTER);
    for (String[] more : wrong) {
      List<String> args = new ArrayList<>(List.of("plan", "explain", "--model", "gpt-1.3b"));
      args.addAll(List.of("--cluster", cluster.toString(), "--quiet"));
      args.addAll(List.of("--out", folder.resolve("none").toString()));
      args.addAll(List.of(more));
      if (!args.contains("--global-batch")) {
        args.addAll(List.of("--global-batch", "32"));
      }
      String err = refused(() -> Main.run(args.toArray(String[]::new)));
      assertThat(err).as(String.join(" ", more)).startsWith("spillway: ").hasLineCount(1);
      assertThat(folder.resolve("none")).doesNotExist();
    }
  }

  @Test
  void brokenMeasurementsAreNotImported() throws Exception {
    String sound = "{\"0\": {\"gpus\": [\"a\", \"b\"], \"bandwidth\": [[0, 20000], [20000, 0]]}}";
    Path out = folder.resolve("out.yaml");
    assertThat(imports(sound, out, "--asymmetry", "0.25")).isZero();
    assertThat(out).content().contains("asymmetry: 0.25"); // holds when the file is edited
    Path none = folder.resolve("none.yaml");
    for (String broken :
        List.of(
            sound.replace("[20000, 0]", "[20000]"),
            sound.replace(", [20000, 0]", ""),
            sound.replace("0, 20000]", "0, -20000]"),
            sound.replace("0, 20000]", "0, NaN]"),
            sound.replace("0, 20000]", "0, 1e999]"),
            sound.replace("0, 20000]", "0, null]"),
            sound.replace("0, 20000]", "0, 2000]"),
            sound.replace("\"b\"", "\"a\""),
            sound.replace(", \"b\"", ""),
            "")) {
      String err = refused(() -> imports(broken, none));
      assertThat(err).as(broken).startsWith("spillway: ").hasLineCount(1);
      assertThat(none).doesNotExist();
    }
    for (String[] option :
        new String[][] {
          {"--gpus", "0"}, {"--nodes", "0"}, {"--asymmetry", "2"}, {"--rails", "0"}
        }) {
      assertThat(refused(() -> imports(sound, none, option))).as(option[0]).hasLineCount(1);
      assertThat(none).doesNotExist();
    }
  }

  private int imports(String text, Path out, String... more) throws Exception {
    Path file = Files.writeString(folder.resolve("links.json"), text);
    List<String> args =
        new ArrayList<>(List.of("cluster", "import", file.toString(), "--out", out.toString()));
    args.addAll(List.of("--accelerator", "A100-80"));
    args.addAll(List.of(more));
    return Main.run(args.toArray(String[]::new));
  }

  private interface Run {
    int status() throws Exception;
  }

  /// What a command says on standard error that ends with status 2.
  private static String refused(Run run) throws Exception {
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      assertThat(run.status()).isEqualTo(2);
    } finally {
      System.setErr(err);
    }
    return said.toString(StandardCharsets.UTF_8);
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
