package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LaunchCommandIT {
  @TempDir Path folder;

  private record Said(int status, String out, String err) {}

  private static Said run(String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream saidOut = new ByteArrayOutputStream();
    ByteArrayOutputStream saidErr = new ByteArrayOutputStream();
    System.setOut(new PrintStream(saidOut, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(saidErr, true, StandardCharsets.UTF_8));
    try {
      int status = Main.run(arguments);
      return new Said(
          status,
          saidOut.toString(StandardCharsets.UTF_8),
          saidErr.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @Test
  void prefixesOutputWithTheRank() {
    Said said = run("launch", "--nproc", "2", "--", "sh", "-c", "echo $RANK of $WORLD_SIZE");
    assertThat(said.status()).isZero();
    assertThat(said.out().lines()).containsExactlyInAnyOrder("[rank 0] 0 of 2", "[rank 1] 1 of 2");
  }

  @Test
  void passesTheStatusOfTheDeadRank() {
    Said said =
        run(
            "launch",
            "--nproc",
            "2",
            "--",
            "sh",
            "-c",
            "if [ $RANK = 1 ]; then echo broken >&2; exit 5; fi; sleep 30");
    assertThat(said.status()).isEqualTo(5);
    assertThat(said.err())
        .contains("spillway: rank 1 ended with status 5; its last lines:\n  broken");
  }

  @Test
  void refusesBadNumbersInOneLine() {
    assertThat(run("launch", "--nproc", "0", "--", "true"))
        .isEqualTo(new Said(2, "", "spillway: --nproc 0 must be 1 to 4096\n"));
    assertThat(run("launch", "--nproc", "1", "--nnodes", "2", "--", "true").err())
        .isEqualTo("spillway: --nnodes 2 needs --master-addr, the host of rank 0\n");
    assertThat(run("launch", "--nproc", "1", "--", "/no/such/program").status()).isEqualTo(2);
  }

  private static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
  }

  @Test
  void forwardsInterrupts() throws IOException, InterruptedException {
    assumeFalse(
        ignoresInterrupts(),
        "started with SIGINT ignored, as a shell's background jobs are, which children inherit");
    Path mark = folder.resolve("mark");
    Process launcher =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "launch",
                "--nproc",
                "2",
                "--",
                "sh",
                "-c",
                "trap 'echo $RANK >> "
                    + mark
                    + "; exit 0' INT; echo ready; while :; do sleep 0.1; done")
            .redirectErrorStream(true)
            .start();
    int ready = 0;
    for (String line : (Iterable<String>) launcher.inputReader().lines()::iterator) {
      if (line.endsWith("ready") && ++ready == 2) {
        break;
      }
    }
    assertThat(ready).isEqualTo(2);
    new ProcessBuilder("kill", "-INT", Long.toString(launcher.pid())).start().waitFor();
    assertThat(launcher.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(launcher.exitValue()).isEqualTo(130);
    assertThat(Files.readAllLines(mark)).containsExactlyInAnyOrderElementsOf(List.of("0", "1"));
  }
}
