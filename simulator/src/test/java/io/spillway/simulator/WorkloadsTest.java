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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/// Every workload of ours verifies its own answer on the functional engine.
final class WorkloadsTest {
  private static Path folder() {
    return TestData.repository().resolve("simulator/workloads");
  }

  private static final List<String> SHORT =
      List.of("is", "mg", "bt", "lu", "cc", "bfs", "pointer", "stream", "branch");

  @Test
  void everyAnswerIsVerified() throws Exception {
    for (String name : SHORT) {
      byte[] elf = Files.readAllBytes(folder().resolve("programs").resolve(name));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      boolean graph = name.equals("bfs") || name.equals("cc");
      String[] arguments = graph ? new String[] {name, "uniform", "11"} : new String[] {name};
      try (Machine machine = Programs.machine(elf, out, arguments)) {
        new Scheduler(machine, new FunctionalEngine(machine)).run();
        assertThat(machine.exitStatus()).as(name).isZero();
      }
      assertThat(out.toString(StandardCharsets.UTF_8)).contains(name + ": verified");
    }
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
