package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Cycles of small loops at their steady state. The numbers follow from the stages and agree with
/// gem5 23.1 on the same loops.
class LoopCyclesTest {
  private static final long PC = 0x10198;
  private static final int C_ADD_A4_A3 = 0x9736;
  private static final int C_ADDI_A5 = 0x17fd;

  private static TimingCore core(String name) {
    SystemDescription s = SystemFiles.load(name);
    MemorySystem memory = new MemorySystem(s);
    return switch (s.core()) {
      case Core.InOrder c ->
          new InOrderCore(c, s.predictor(), s.fast().hertz(), memory, pc -> null);
      case Core.OutOfOrder c ->
          new OutOfOrderCore(c, s.predictor(), s.fast().hertz(), memory, pc -> null);
    };
  }

  private static Instruction decode(int word) {
    return Objects.requireNonNull(Decoder.decode(word));
  }

  /// `bne a5, zero` over `offset` bytes.
  private static Instruction branch(int offset) {
    return decode(
        0x00079063
            | (offset >> 12 & 1) << 31
            | (offset >> 5 & 63) << 25
            | (offset >> 1 & 15) << 8
            | (offset >> 11 & 1) << 7);
  }

  /// Runs the words as the body of a loop that a taken branch closes.
  private static void loop(TimingCore core, int times, long address, int... words) {
    Instruction[] body = new Instruction[words.length + 1];
    int bytes = 0;
    for (int k = 0; k < words.length; k++) {
      body[k] = decode(words[k]);
      bytes += body[k].length();
    }
    body[words.length] = branch(-bytes);
    for (int i = 0; i < times; i++) {
      long pc = PC;
      for (int k = 0; k < body.length; k++) {
        boolean last = k == body.length - 1;
        long next = last ? PC : pc + body[k].length();
        core.retire(body[k], pc, next, last, address);
        pc = next;
      }
    }
  }

  private static double perIteration(TimingCore core, long address, int... words) {
    loop(core, 2000, address, words);
    long before = core.cycles();
    loop(core, 1000, address, words);
    return (core.cycles() - before) / 1000.0;
  }

  @ParameterizedTest
  @CsvSource({"minor, 10", "o3, 8", "paper-in-order-baseline, 7", "paper-baseline, 8"})
  void eightDependentAdds(String system, double cycles) {
    // given eight adds in a chain, a count and a branch
    int[] words = new int[9];
    Arrays.fill(words, 0, 8, C_ADD_A4_A3);
    words[8] = C_ADDI_A5;
    // when the loop runs, then fetch binds the in-order cores and the chain the others
    assertThat(perIteration(core(system), 0, words)).isEqualTo(cycles);
  }

  @ParameterizedTest
  @CsvSource({"minor, 12", "o3, 12"})
  void fourDependentMultiplies(String system, double cycles) {
    // given four multiplies of three cycles in a chain
    int mul = 0x02d70733;
    assertThat(perIteration(core(system), 0, mul, mul, mul, mul, C_ADDI_A5)).isEqualTo(cycles);
  }

  @ParameterizedTest
  @CsvSource({"minor, 16", "o3, 8"})
  void fourDependentFloatAdds(String system, double cycles) {
    // given four double additions in a chain: six cycles, four of them before a dependant may
    // enter, in order; two out of order
    int fadd = 0x02b57553;
    assertThat(perIteration(core(system), 0, fadd, fadd, fadd, fadd, C_ADDI_A5)).isEqualTo(cycles);
  }

  @Test
  void aPointerChaseOutOfOrderTakesFiveCyclesAStep() {
    // given a load whose address is shifted and added from the load before
    int slli = 0x00351513;
    int add = 0x00b50533;
    int load = 0x00053503;
    // when it hits the first level, then shift, add and three cycles to the next shift
    assertThat(perIteration(core("o3"), 0x20000, slli, add, load, C_ADDI_A5)).isEqualTo(5.0);
  }

  @ParameterizedTest
  @CsvSource({"minor", "o3", "paper-in-order-core", "paper-everything", "desktop"})
  void theCycleStackSumsToTheCycles(String system) {
    // given loads that miss, multiplies and branches
    TimingCore core = core(system);
    Instruction[] body = {decode(0x00053503), decode(0x02d70733), decode(C_ADDI_A5), branch(-10)};
    for (int i = 0; i < 5000; i++) {
      boolean taken = i % 3 != 0;
      core.retire(body[0], PC, PC + 4, false, i * 72L);
      core.retire(body[1], PC + 4, PC + 8, false, 0);
      core.retire(body[2], PC + 8, PC + 10, false, 0);
      core.retire(body[3], PC + 10, taken ? PC : PC + 14, taken, 0);
      if (!taken) {
        core.retire(decode(0xff3ff06f), PC + 14, PC, true, 0);
      }
      // when any instruction has retired, then every cycle is charged once
      long sum = core.stack().byCause().values().stream().mapToLong(Long::longValue).sum();
      assertThat(sum).isEqualTo(core.cycles());
    }
    assertThat(core.stack().byCause().get("memory")).isPositive();
  }
}
