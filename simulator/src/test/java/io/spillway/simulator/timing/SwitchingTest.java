package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.Programs;
import io.spillway.simulator.functional.FunctionalEngine;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Memory;
import io.spillway.simulator.machine.Scheduler;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.testkit.TestData;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A program that goes from translated code to a timing model and back while it runs ends in the
/// state in which the interpreter leaves it.
final class SwitchingTest {
  private static final Path PROGRAMS =
      TestData.repository().resolve("simulator/workloads/programs");

  private record State(String output, int status, long retired, int registers, long memory) {}

  private static State state(Machine machine, ByteArrayOutputStream out) {
    CRC32 sum = new CRC32();
    Memory memory = machine.memory();
    for (long at = memory.nextMapped(0); at < Memory.LIMIT; ) {
      if ((memory.permission(at) & Memory.READ) != 0) {
        sum.update(memory.read(at, Memory.PAGE_BYTES));
      }
      at = memory.nextMapped(at + Memory.PAGE_BYTES);
    }
    return new State(
        out.toString(StandardCharsets.UTF_8),
        machine.exitStatus(),
        machine.retired(),
        Arrays.hashCode(machine.hart().x) * 31 + Arrays.hashCode(machine.hart().f),
        sum.getValue());
  }

  @ParameterizedTest
  @ValueSource(strings = {"minor", "o3"})
  void functionalThenTimingThenFunctional(String system) throws Exception {
    byte[] elf = Files.readAllBytes(PROGRAMS.resolve("bfs"));
    String[] arguments = {"bfs", "kronecker", "9"};
    ByteArrayOutputStream expectedOut = new ByteArrayOutputStream();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Machine reference = Programs.machine(elf, expectedOut, arguments);
        Machine machine = Programs.machine(elf, out, arguments)) {
      new Scheduler(reference, new Interpreter(reference)).run();
      FunctionalEngine functional = new FunctionalEngine(machine);
      TimingRun timing = new TimingRun(SystemFiles.load(system), machine);
      long third = reference.retired() / 3;

      new Scheduler(machine, functional).runUntil(third);
      TimingResult middle = timing.run(new TimingRun.Window(0, 0, third, 0));
      assertThat(machine.isFinished()).isFalse();
      assertThat(machine.retired()).isEqualTo(2 * third);
      new Scheduler(machine, functional).runUntil(2 * third + 10_001);
      TimingResult again = timing.run(new TimingRun.Window(0, 0, 10_000, 0));
      new Scheduler(machine, functional).run();

      assertThat(middle.instructions()).isEqualTo(third);
      assertThat(middle.cycles()).isPositive();
      assertThat(again.instructions()).isEqualTo(10_000);
      assertThat(again.cycles()).isBetween(2_000L, 200_000L);
      assertThat(state(machine, out)).isEqualTo(state(reference, expectedOut));
    }
  }
}
