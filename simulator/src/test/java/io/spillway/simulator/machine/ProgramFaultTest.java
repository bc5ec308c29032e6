package io.spillway.simulator.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.simulator.FunctionalRun;
import io.spillway.simulator.Programs;
import io.spillway.simulator.TinyElf;
import io.spillway.simulator.isa.Op;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;

/// A program that cannot go on ends with a report that names address and word.
final class ProgramFaultTest {
  private static Machine machine(TinyElf elf) {
    return Programs.machine(elf.build(), new ByteArrayOutputStream(), "x");
  }

  @Test
  void unknownInstruction() {
    try (Machine machine = machine(new TinyElf().word(0xffffffff))) {
      assertThatThrownBy(() -> new Interpreter(machine).step(machine.hart()))
          .isInstanceOf(ProgramFault.class)
          .hasMessageContaining("unknown instruction 0xffffffff at pc 0x100b0");
    }
  }

  @Test
  void unknownCall() {
    try (Machine machine = machine(new TinyElf().call(999, 0, 0, 0))) {
      assertThatThrownBy(() -> new Scheduler(machine, new Interpreter(machine)).run())
          .isInstanceOf(ProgramFault.class)
          .hasMessageContaining("unknown call 999");
    }
  }

  @Test
  void badAddressEndsWithTheSignalsStatusOnBothEngines() {
    for (FunctionalRun.Kind kind : FunctionalRun.Kind.values()) {
      try (Machine machine = machine(new TinyElf().i(Op.LD, 5, 0, 16))) {
        FunctionalRun.Outcome outcome = FunctionalRun.run(machine, kind, Long.MAX_VALUE);
        assertThat(outcome.exitStatus()).isEqualTo(139);
        assertThat(outcome.fault().orElseThrow())
            .contains("0x10 at pc 0x100b0")
            .contains("ld t0,16(zero)");
      }
    }
  }

  @Test
  void exitStatusIsPassedOn() {
    try (Machine machine = machine(new TinyElf().writeAndExit(TinyElf.DATA, 0, 42))) {
      assertThat(FunctionalRun.run(machine, FunctionalRun.Kind.FUNCTIONAL, 100).exitStatus())
          .isEqualTo(42);
    }
  }
}
