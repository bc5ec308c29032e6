package io.spillway.simulator.functional;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.Programs;
import io.spillway.simulator.machine.Checkpoint;
import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.machine.Scheduler;
import io.spillway.testkit.TestData;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real programs end alike under both engines, after a checkpoint, and as gem5 counted them.
final class RealProgramsTest {
  @TempDir Path folder;

  private static final List<String> KERNELS =
      List.of("bfs", "call_fib", "fdiv_sqrt", "matmul", "quicksort", "spmv", "call_indirect");

  private record End(String output, long retired, int status, int registers) {}

  private static End end(Machine machine, ByteArrayOutputStream out, Engine engine) {
    new Scheduler(machine, engine).run();
    return new End(
        out.toString(StandardCharsets.UTF_8),
        machine.retired(),
        machine.exitStatus(),
        java.util.Arrays.hashCode(machine.hart().x) * 31
            + java.util.Arrays.hashCode(machine.hart().f));
  }

  @Test
  void enginesAgreeWithEachOtherAndGem5() throws Exception {
    Path programs = TestData.require("gem5/elf");
    List<String> rows = Files.readAllLines(TestData.require("gem5/results.csv"));
    for (String kernel : KERNELS) {
      byte[] elf = Files.readAllBytes(programs.resolve(kernel));
      ByteArrayOutputStream slowOut = new ByteArrayOutputStream();
      ByteArrayOutputStream fastOut = new ByteArrayOutputStream();
      try (Machine slow = Programs.machine(elf, slowOut, kernel);
          Machine fast = Programs.machine(elf, fastOut, kernel)) {
        End reference = end(slow, slowOut, new Interpreter(slow));
        assertThat(end(fast, fastOut, new FunctionalEngine(fast, 20)))
            .as(kernel)
            .isEqualTo(reference);
        // gem5 does not count the two system calls
        long counted =
            rows.stream()
                .filter(r -> r.startsWith("atomic,4," + kernel + ","))
                .mapToLong(r -> Long.parseLong(r.split(",")[3]))
                .findFirst()
                .orElseThrow();
        assertThat(reference.retired()).as(kernel).isEqualTo(counted + 2);
      }
    }
  }

  @Test
  void aRestoredMachineContinuesAsIfNothingHadHappened() throws Exception {
    byte[] elf = Files.readAllBytes(TestData.require("gem5/elf/quicksort"));
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    End expected;
    try (Machine machine = Programs.machine(elf, whole, "q")) {
      expected = end(machine, whole, new Interpreter(machine));
    }
    Path file = folder.resolve("checkpoint");
    try (Machine machine = Programs.machine(elf, new ByteArrayOutputStream(), "q")) {
      new Scheduler(machine, new FunctionalEngine(machine)).runUntil(1_234_567);
      assertThat(machine.retired()).isEqualTo(1_234_567);
      Checkpoint.write(machine, file);
    }
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    ProcessOptions here = ProcessOptions.of().withOutput(rest, rest);
    try (Machine machine = Checkpoint.read(file, here)) {
      assertThat(end(machine, rest, new FunctionalEngine(machine))).isEqualTo(expected);
    }
  }

  @Test
  void qemuPrintsTheSame() throws Exception {
    Programs.requireQemu();
    try (Stream<Path> programs = Files.list(TestData.require("gem5/elf"))) {
      for (Path program : programs.filter(p -> !p.endsWith("chase_mem")).sorted().toList()) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Machine machine = Programs.machine(Files.readAllBytes(program), out, "x")) {
          new Scheduler(machine, new FunctionalEngine(machine)).run();
        }
        assertThat(out.toByteArray())
            .as(program.toString())
            .isEqualTo(Programs.qemu(program).output());
      }
    }
  }
}
