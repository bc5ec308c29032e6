package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class MainTest {
  private record Answer(int status, String out, String err) {}

  private static Answer run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream newOut = new ByteArrayOutputStream();
    ByteArrayOutputStream newErr = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(newOut, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(newErr, true, StandardCharsets.UTF_8));
      int status = Main.run(args);
      return new Answer(
          status, newOut.toString(StandardCharsets.UTF_8), newErr.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @Test
  void everyCommandIsListedAndExplainsItself() {
    Answer help = run("--help");
    assertThat(help.status()).isZero();
    for (Commands.Entry entry : Commands.entries()) {
      assertThat(help.out()).contains("  " + entry.name() + " ");
      Answer own = run(entry.name(), "--help");
      assertThat(own.status()).as(entry.name()).isZero();
      assertThat(own.out()).as(entry.name()).startsWith("Usage: spillway " + entry.name());
    }
  }

  @Test
  void aPosixLocaleGetsWholeCharacters(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("cluster.yaml");
    Files.writeString(
        file,
        Cluster.even(
                "zwölf Knoten",
                12,
                8,
                Accelerators.named("A100-80"),
                Link.of(5e-6, 300e9),
                Network.of(Link.of(10e-6, 25e9), 1))
            .toYaml());
    ProcessBuilder java =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "cluster",
            "show",
            "--json",
            file.toString());
    java.environment().put("LC_ALL", "POSIX");
    Path out = folder.resolve("out");
    Process process = java.redirectOutput(out.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(out).content(StandardCharsets.UTF_8).contains("zwölf Knoten");
  }

  @Test
  void everyOptionOfEveryCommandIsDescribed() {
    for (Commands.Entry entry : Commands.entries()) {
      described(Main.commandLine(entry));
    }
  }

  private static void described(CommandLine line) {
    String name = line.getCommandSpec().qualifiedName();
    assertThat(line.getCommandSpec().usageMessage().description()).as(name).isNotEmpty();
    for (var option : line.getCommandSpec().options()) {
      assertThat(option.description()).as(name + " " + option.longestName()).isNotEmpty();
    }
    line.getSubcommands().values().forEach(MainTest::described);
  }

  @Test
  void aMistypedCommandNamesTheNearestAndExitsWithTwo() {
    Answer answer = run("doctr");
    assertThat(answer.status()).isEqualTo(2);
    assertThat(answer.err())
        .isEqualTo("spillway: unknown command 'doctr', did you mean 'doctor'?\n");
    assertThat(answer.out()).isEmpty();
  }

  @Test
  void anUnknownOptionIsOneLineAndExitsWithTwo() {
    Answer answer = run("doctor", "--jsn");
    assertThat(answer.status()).isEqualTo(2);
    assertThat(answer.err()).startsWith("spillway: Unknown option").contains("--jsn");
  }

  @Test
  void completionKnowsEveryCommandInBothShells() {
    String bash = run("completion", "bash").out();
    for (Commands.Entry entry : Commands.entries()) {
      assertThat(bash).contains(entry.name());
    }
    assertThat(run("completion", "zsh").out()).contains("bashcompinit").contains(bash);
    assertThat(run("completion", "fish").status()).isEqualTo(2);
  }

  @Test
  void theVersionIsThatOfTheBuild() {
    assertThat(run("--version").out()).matches("spillway \\d+\\.\\d+\\.\\d+\\S*\\n");
  }
}
