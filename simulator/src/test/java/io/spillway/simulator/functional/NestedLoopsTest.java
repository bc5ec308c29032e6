package io.spillway.simulator.functional;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.Programs;
import io.spillway.simulator.TinyElf;
import io.spillway.simulator.isa.Op;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.testkit.Cases;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;

/// Loops within loops: the inner ones are translated first, then regions that hold them and take
/// over their entries. At every stop, wherever it falls, registers, address and count are those of
/// the interpreter.
final class NestedLoopsTest {
  private static final int LONGEST = 5000;

  private static byte[] program(int outer, int middle, int inner) {
    TinyElf elf = new TinyElf();
    elf.i(Op.ADDI, 5, 0, outer);
    int first = elf.size();
    elf.i(Op.ADDI, 6, 0, middle);
    int second = elf.size();
    elf.i(Op.ADDI, 7, 0, inner);
    int third = elf.size();
    elf.r(Op.ADD, 8, 8, 7).i(Op.ADDI, 7, 7, -1);
    elf.s(Op.BNE, 7, 0, third - elf.size());
    elf.r(Op.XOR, 9, 9, 8).i(Op.ADDI, 6, 6, -1);
    elf.s(Op.BNE, 6, 0, second - elf.size());
    elf.r(Op.ADD, 10, 10, 9).i(Op.ADDI, 5, 5, -1);
    elf.s(Op.BNE, 5, 0, first - elf.size());
    return elf.writeAndExit(TinyElf.DATA, 8, 0).build();
  }

  @Test
  void largerRegionsTakeOverWithoutATrace() {
    Cases.run(
        30,
        random -> {
          byte[] elf =
              program(1 + random.nextInt(60), 1 + random.nextInt(20), 1 + random.nextInt(40));
          try (Machine fast = Programs.machine(elf, new ByteArrayOutputStream(), "x");
              Machine slow = Programs.machine(elf, new ByteArrayOutputStream(), "x")) {
            FunctionalEngine engine = new FunctionalEngine(fast, 2);
            Interpreter reference = new Interpreter(slow);
            while (!slow.isFinished()) {
              int count = 1 + random.nextInt(LONGEST);
              engine.run(fast.hart(), count);
              reference.run(slow.hart(), count);
              assertSame(fast.hart(), slow.hart());
            }
            assertThat(fast.isFinished()).isTrue();
          }
        });
  }

  private static void assertSame(Hart actual, Hart expected) {
    assertThat(actual.retired).isEqualTo(expected.retired);
    assertThat(actual.pc).isEqualTo(expected.pc);
    assertThat(actual.x).isEqualTo(expected.x);
  }
}
