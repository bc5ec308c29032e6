package io.spillway.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.functional.FunctionalEngine;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Scheduler;
import io.spillway.testkit.TestData;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every workload of ours verifies its own answer on the functional engine.
final class WorkloadsTest {
  private static Path folder() {
    return TestData.repository().resolve("simulator/workloads");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "is S",
        "is W",
        "cg S",
        "mg S",
        "ft S",
        "ep T",
        "bt S",
        "lu S",
        "cc uniform 11",
        "bfs uniform 11",
        "pointer",
        "stream",
        "branch"
      })
  void everyAnswerIsVerified(String command) throws Exception {
    String[] words = command.split(" ");
    byte[] elf = Files.readAllBytes(folder().resolve("programs").resolve(words[0]));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Machine machine = Programs.machine(elf, out, words)) {
      new Scheduler(machine, new FunctionalEngine(machine)).run();
      assertThat(machine.exitStatus()).isZero();
    }
    assertThat(out.toString(StandardCharsets.UTF_8)).contains(words[0] + ": verified");
  }

  /// The figures that NAS publishes for class S, to the digits that the programs print.
  @ParameterizedTest
  @CsvSource({
    "cg, zeta 8.597178e0",
    "mg, to 5.307707e-5",
    "ft, checksum 5.542683e2 4.932597e2",
  })
  void namesTheFiguresOfNas(String name, String figure) throws Exception {
    byte[] elf = Files.readAllBytes(folder().resolve("programs").resolve(name));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Machine machine = Programs.machine(elf, out, name)) {
      new Scheduler(machine, new FunctionalEngine(machine)).run();
    }
    assertThat(out.toString(StandardCharsets.UTF_8)).contains(figure);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ep", "ft", "is", "cg", "mg", "lu", "bt"})
  void refusesAClassThatItDoesNotHave(String name) throws Exception {
    byte[] elf = Files.readAllBytes(folder().resolve("programs").resolve(name));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Machine machine = Programs.machine(elf, out, name, "C")) {
      new Scheduler(machine, new FunctionalEngine(machine)).run();
      assertThat(machine.exitStatus()).isEqualTo(2);
    }
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("class C is none of");
  }

  @Test
  void everySourceHasItsProgram() throws Exception {
    try (Stream<Path> sources = Files.list(folder().resolve("src"))) {
      assertThat(sources.filter(p -> p.toString().endsWith(".c")))
          .isNotEmpty()
          .allSatisfy(p -> {
            String name = p.getFileName().toString().replace(".c", "");
            assertThat(folder().resolve("programs").resolve(name)).exists();
          });
    }
  }

  @Test
  void theScriptBuildsTheSameBytes() throws Exception {
    Process version;
    try {
      version = new ProcessBuilder("riscv64-linux-gnu-gcc", "-dumpfullversion").start();
    } catch (java.io.IOException e) {
      Assumptions.abort("riscv64-linux-gnu-gcc is absent (Debian: gcc-riscv64-linux-gnu)");
      return;
    }
    String text = new String(version.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Assumptions.assumeTrue(
        text.startsWith("12.2.0"), "the prebuilt programs are of GCC 12.2.0, not " + text.strip());
    Process build =
        new ProcessBuilder(folder().resolve("build.sh").toString(), "--check")
            .redirectErrorStream(true)
            .start();
    String output = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(build.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(output).contains("every program is byte-identical");
  }
}
