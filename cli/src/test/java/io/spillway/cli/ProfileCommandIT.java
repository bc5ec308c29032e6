package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.hardware.Cluster;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(90)
class ProfileCommandIT {
  @TempDir Path folder;

  private static String run(int status, String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.run(arguments)).isEqualTo(status);
      return said.toString(StandardCharsets.UTF_8);
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @Test
  void writesAClusterThatReadsBack() throws java.io.IOException {
    Path file = folder.resolve("mine.yaml");
    String said =
        run(
            0,
            "profile",
            "--nproc",
            "2",
            "--backend",
            "gloo",
            "--sizes",
            "4KiB,256KiB",
            "--seconds",
            "0.02",
            "--quiet",
            "--out",
            file.toString());
    assertThat(said).contains("gloo between 2 ranks").contains("written: " + file);
    Path record = Path.of(said.replaceFirst("(?s).*record: ", "").strip());
    assertThat(record).exists().content().contains("\"command\" : \"profile\"");
    assertThat(record.resolveSibling("cluster.yaml")).hasSameTextualContentAs(file);
    Files.delete(record.resolveSibling("cluster.yaml"));
    Files.delete(record);
    Files.delete(java.util.Objects.requireNonNull(record.getParent()));
    Cluster cluster = Cluster.read(file);
    assertThat(cluster.gpus()).isEqualTo(2);
    assertThat(cluster.nodes()).hasSize(1);
    assertThat(cluster.link(0, 1).seconds(1 << 18)).isBetween(1e-6, 1.0);
  }

  @Test
  void refusesBadInputInOneLine() {
    assertThat(run(2, "profile", "--nproc", "1"))
        .isEqualTo("spillway: --nproc 1: links need at least 2 ranks\n");
    assertThat(run(2, "profile", "--sizes", "1MiB,4KiB"))
        .isEqualTo("spillway: --sizes 1MiB,4KiB: sizes must rise and be multiples of 4 bytes\n");
    assertThat(run(2, "profile", "--accelerator", "H1000")).contains("unknown accelerator 'H1000'");
  }
}
