package io.spillway.simulator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.Op;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Every compressed form against the instruction that the ISA manual expands it to, with the
/// largest offsets that the forms have.
final class CompressedGoldenTest {
  // halfword, operation, rd, rs1, rs2, immediate; - where the operation has no such operand
  private static final String FORMS =
      """
      1fe8 ADDI 10 2 - 1020; 3de8 FLD 10 11 - 248; 5de8 LW 10 11 - 124; 7de8 LD 10 11 - 248
      bde8 FSD - 11 10 248; dde8 SW - 11 10 124; fde8 SD - 11 10 248; 0001 ADDI 0 0 - 0
      1501 ADDI 10 10 - -32; 257d ADDIW 10 10 - 31; 5ffd ADDI 31 0 - -1; 7101 ADDI 2 2 - -512
      7501 LUI 10 - - -131072; 917d SRLI 10 10 - 63; 9585 SRAI 11 11 - 33; 9a6d ANDI 12 12 - -5
      8d0d SUB 10 10 11 -; 8d2d XOR 10 10 11 -; 8d4d OR 10 10 11 -; 8d6d AND 10 10 11 -
      9d0d SUBW 10 10 11 -; 9d2d ADDW 10 10 11 -; 1ffe SLLI 31 31 - 63; 3ffe FLD 31 2 - 504
      5ffe LW 31 2 - 252; 7ffe LD 31 2 - 504; 8f82 JALR 0 31 - 0; 8ffa ADD 31 0 30 -; 9002 EBREAK - - - -
      9f82 JALR 1 31 - 0; 9ffa ADD 31 31 30 -; bffe FSD - 2 31 504; dffe SW - 2 31 252
      fffe SD - 2 31 504; a001 JAL 0 - - 0; dd7d BEQ - 10 0 -2; fff5 BNE - 15 0 -4
      """;

  private static void operand(String line, String expected, long actual) {
    if (!expected.equals("-")) {
      assertThat(actual).as(line).isEqualTo(Long.parseLong(expected));
    }
  }

  @Test
  void everyFormExpands() {
    for (String line : FORMS.strip().split("[;\n]")) {
      String[] p = line.strip().split(" ");
      Instruction in = Objects.requireNonNull(Decoder.decode(Integer.parseInt(p[0], 16)), line);
      assertThat(in.op()).as(line).isEqualTo(Op.valueOf(p[1]));
      assertThat(in.length()).as(line).isEqualTo(2);
      operand(line, p[2], in.rd());
      operand(line, p[3], in.rs1());
      operand(line, p[4], in.rs2());
      operand(line, p[5], in.imm());
    }
  }

  @Test
  void reservedFormsAreNoInstructions() {
    // all zeros, addi4spn by 0, addiw to x0, addi16sp by 0, lui by 0, lwsp and ldsp to x0, jr x0
    for (int word : new int[] {0x0000, 0x0008, 0x2005, 0x6101, 0x6501, 0x4002, 0x6002, 0x8002}) {
      assertThat(Decoder.decode(word)).as("%04x", word).isNull();
    }
  }
}
