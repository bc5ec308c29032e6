package io.spillway.simulator.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.simulator.Programs;
import io.spillway.simulator.TinyElf;
import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Immediate;
import io.spillway.simulator.isa.Op;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Every instruction against values worked by hand from the ISA manual.
final class InstructionGoldenTest {
  // operation, operands, result; numbers in hexadecimal, an immediate where the operation has one
  private static final String INTEGER =
      """
      ADD 5 7 c; ADD ffffffffffffffff 1 0; SUB 5 7 fffffffffffffffe; SLL 1 3f 8000000000000000
      SLL 1 41 2; SLT ffffffffffffffff 1 1; SLTU ffffffffffffffff 1 0; XOR c a 6
      SRL 8000000000000000 3f 1; SRA 8000000000000000 3f ffffffffffffffff; OR c a e; AND c a 8
      ADDI 5 fff 4; SLTI 5 fff 0; SLTIU 5 fff 1; XORI 5 fff fffffffffffffffa; ORI 5 fff ffffffffffffffff
      ANDI f5 fff f5; SLLI 1 3f 8000000000000000; SRLI 8000000000000000 3f 1
      SRAI 8000000000000000 3e fffffffffffffffe; ADDIW 7fffffff 1 ffffffff80000000
      SLLIW 1 1f ffffffff80000000; SRLIW ffffffff80000000 1f 1; SRAIW 80000000 1f ffffffffffffffff
      ADDW 7fffffff 1 ffffffff80000000; SUBW 0 1 ffffffffffffffff; SLLW 1 3f ffffffff80000000
      SRLW 80000000 1f 1; SRAW 80000000 1f ffffffffffffffff
      MUL 3 5 f; MULH 8000000000000000 2 ffffffffffffffff; MULHU 8000000000000000 2 1
      MULHSU ffffffffffffffff 2 ffffffffffffffff; MULHSU ffffffffffffffff ffffffffffffffff ffffffffffffffff
      DIV fffffffffffffff9 2 fffffffffffffffd; DIV 7 0 ffffffffffffffff
      DIV 8000000000000000 ffffffffffffffff 8000000000000000; DIVU fffffffffffffff9 2 7ffffffffffffffc
      DIVU 7 0 ffffffffffffffff; REM fffffffffffffff9 2 ffffffffffffffff; REM 7 0 7
      REM 8000000000000000 ffffffffffffffff 0; REMU 7 4 3; REMU 7 0 7
      MULW 10000 8000 ffffffff80000000; DIVW 80000000 ffffffff ffffffff80000000; DIVW 7 0 ffffffffffffffff
      DIVUW fffffff9 2 7ffffffc; DIVUW 7 0 ffffffffffffffff; REMW fffffff9 2 ffffffffffffffff
      REMUW ffffffff 0 ffffffffffffffff; REMUW 7 4 3
      SH1ADD 3 1 7; SH2ADD 3 1 d; SH3ADD 3 1 19; SH1ADD_UW ffffffff00000003 1 7
      SH2ADD_UW ffffffff00000003 1 d; SH3ADD_UW ffffffff00000003 1 19; ADD_UW ffffffff00000003 1 4
      SLLI_UW ffffffff00000003 4 30; ANDN f 5 a; ORN 0 fffffffffffffff0 f; XNOR 5 5 ffffffffffffffff
      CLZ 1 - 3f; CLZ 0 - 40; CTZ 8 - 3; CTZ 0 - 40; CPOP ff - 8; CLZW 1 - 1f; CTZW 0 - 20; CTZW ffffffff00000000 - 20
      CPOPW ffffffff0000000f - 4; MIN ffffffffffffffff 1 ffffffffffffffff; MINU ffffffffffffffff 1 1
      MAX ffffffffffffffff 1 1; MAXU ffffffffffffffff 1 ffffffffffffffff
      SEXT_B 80 - ffffffffffffff80; SEXT_H 8000 - ffffffffffff8000; ZEXT_H ffff8000 - 8000
      ROL 8000000000000001 1 3; ROR 1 1 8000000000000000; ROLW 80000001 1 3; RORW 1 1 ffffffff80000000
      RORI 1 4 1000000000000000; RORIW 1 4 10000000; ORC_B 0001000200800000 - 00ff00ff00ff0000
      REV8 0102030405060708 - 0807060504030201; BCLR f 2 b; BCLRI f 2 b; BEXT 4 2 1; BEXTI 4 2 1
      BINV 5 2 1; BINVI 1 2 5; BSET 0 3f 8000000000000000; BSETI 0 3 8
      """;

  // operation, operands, result bits, flags: NV 10, DZ 8, OF 4, UF 2, NX 1
  private static final String DOUBLE =
      """
      FADD_D 1.5 2.25 3.75 0; FADD_D 1 1e-30 1 1; FADD_D Infinity -Infinity NaN 10
      FSUB_D 1.5 2.25 -0.75 0; FSUB_D 1 1 0 0; FMUL_D 1.5 -2 -3 0; FMUL_D 1e300 1e300 Infinity 5
      FMUL_D 1e-300 1e-300 0 3; FMUL_D Infinity 0 NaN 10; FDIV_D 1 4 0.25 0; FDIV_D 1 0 Infinity 8
      FDIV_D 0 0 NaN 10; FDIV_D 1 3 0.3333333333333333 1; FSQRT_D 2.25 0 1.5 0; FSQRT_D -1 0 NaN 10
      FSGNJ_D 1.5 -2 -1.5 0; FSGNJN_D 1.5 -2 1.5 0; FSGNJX_D -1.5 -2 1.5 0
      FMIN_D 1 2 1 0; FMIN_D 0 -0.0 -0.0 0; FMIN_D NaN 2 2 0; FMAX_D 1 2 2 0; FMAX_D -0.0 0 0 0
      """;

  private static final String DOUBLE_TO_INTEGER =
      """
      FEQ_D 1 1 1 0; FEQ_D NaN 1 0 0; FLT_D 1 2 1 0; FLT_D NaN 1 0 10; FLE_D 2 2 1 0; FLE_D NaN 1 0 10
      FCLASS_D -Infinity 0 1 0; FCLASS_D -1 0 2 0; FCLASS_D -0.0 0 8 0; FCLASS_D 0 0 10 0
      FCLASS_D 1 0 40 0; FCLASS_D Infinity 0 80 0; FCLASS_D NaN 0 200 0; FCLASS_D 4.9e-324 0 20 0
      FCVT_W_D 2.5 0 2 1; FCVT_W_D -3e9 0 ffffffff80000000 10; FCVT_W_D NaN 0 7fffffff 10
      FCVT_WU_D 4294967295 0 ffffffffffffffff 0; FCVT_WU_D -1 0 0 10; FCVT_L_D -7 0 fffffffffffffff9 0
      FCVT_L_D 1e19 0 7fffffffffffffff 10; FCVT_LU_D 1e19 0 8ac7230489e80000 0; FCVT_LU_D -0.25 0 0 1
      FMV_X_D 1 0 3ff0000000000000 0
      """;

  private static Hart hart(Machine machine) {
    return machine.hart();
  }

  /// What the tests have executed.
  private static final Set<Op> EXECUTED = EnumSet.noneOf(Op.class);

  private static Machine one(int word) {
    EXECUTED.add(Objects.requireNonNull(Decoder.decode(word)).op());
    return Programs.machine(new TinyElf().word(word).build(), new ByteArrayOutputStream(), "x");
  }

  private static long hex(String text) {
    return text.equals("-") ? 0 : Long.parseUnsignedLong(text, 16);
  }

  private static long evaluate(Op op, long a, long b) {
    boolean immediate = op.immediate() != Immediate.NONE;
    try (Machine machine = one(Decoder.encode(op, 5, 6, 7, 0, b, 7))) {
      hart(machine).x[6] = a;
      hart(machine).x[7] = immediate ? 0 : b;
      new Interpreter(machine).step(hart(machine));
      return hart(machine).x[5];
    }
  }

  private static String[] lines(String table) {
    return table.strip().split("[;\n]");
  }

  @Test
  void integers() {
    for (String line : lines(INTEGER)) {
      String[] p = line.strip().split(" ");
      assertThat(Long.toHexString(evaluate(Op.valueOf(p[0]), hex(p[1]), hex(p[2]))))
          .as(line)
          .isEqualTo(Long.toHexString(hex(p[3])));
    }
  }

  private static void floats(boolean wide) {
    for (String line : lines(DOUBLE + DOUBLE_TO_INTEGER)) {
      String[] p = line.strip().split(" ");
      Op op = Op.valueOf(wide ? p[0] : p[0].replace("FMV_X_D", "FMV_X_W").replaceAll("_D$", "_S"));
      boolean scaled = line.contains("e-3") || line.contains("e300") || line.contains("0.333");
      if (!wide
          && (scaled
              || p[0].equals("FMV_X_D")
              || line.contains("4294967295")
              || line.contains("8ac7"))) {
        continue; // these values belong to double precision only
      }
      int mode = 0;
      int rs2 = op.file(2) == 'f' ? 7 : 0;
      try (Machine machine = one(Decoder.encode(op, 5, 6, rs2, 0, 0, mode))) {
        Hart h = hart(machine);
        h.f[6] = bits(p[1], wide);
        h.f[7] = bits(p[2], wide);
        new Interpreter(machine).step(h);
        boolean integer = op.file(0) == 'x';
        assertThat(Long.toHexString(integer ? h.x[5] : h.f[5]))
            .as(op + line)
            .isEqualTo(Long.toHexString(integer ? hex(p[3]) : bits(p[3], wide)));
        assertThat(h.floatStatus.flags()).as(op + line).isEqualTo((int) hex(p[4]));
      }
    }
  }

  private static long bits(String text, boolean wide) {
    double value = Double.parseDouble(text);
    return wide
        ? Double.doubleToLongBits(value)
        : FloatOps.box(Float.floatToIntBits((float) value));
  }

  @Test
  void doubles() {
    floats(true);
  }

  @Test
  void singles() {
    floats(false);
  }

  private static long fused(Op op, double a, double b, double c) {
    boolean wide = op.name().endsWith("D");
    try (Machine machine = one(Decoder.encode(op, 5, 6, 7, 8, 0, 0))) {
      Hart h = hart(machine);
      h.f[6] = bits("" + a, wide);
      h.f[7] = bits("" + b, wide);
      h.f[8] = bits("" + c, wide);
      new Interpreter(machine).step(h);
      return h.f[5];
    }
  }

  @Test
  void fusedOperations() {
    for (String s : new String[] {"S", "D"}) {
      boolean wide = s.equals("D");
      assertThat(fused(Op.valueOf("FMADD_" + s), 2, 3, 4)).isEqualTo(bits("10", wide));
      assertThat(fused(Op.valueOf("FMSUB_" + s), 2, 3, 4)).isEqualTo(bits("2", wide));
      assertThat(fused(Op.valueOf("FNMSUB_" + s), 2, 3, 4)).isEqualTo(bits("-2", wide));
      assertThat(fused(Op.valueOf("FNMADD_" + s), 2, 3, 4)).isEqualTo(bits("-10", wide));
    }
  }

  @Test
  void roundingModesOfOneThirdAndItsNegative() {
    // 1/3 lies between ...5555 and ...5556: nearest and down take the first, up the second
    long below = 0x3fd5555555555555L;
    long[][] expected = {
      {below, below | 1L << 63},
      {below, below | 1L << 63},
      {below, below + 1 | 1L << 63},
      {below + 1, below | 1L << 63},
      {below, below | 1L << 63}
    };
    for (int mode = 0; mode < 5; mode++) {
      for (int sign = 0; sign < 2; sign++) {
        try (Machine machine = one(Decoder.encode(Op.FDIV_D, 5, 6, 7, 0, 0, mode))) {
          Hart h = hart(machine);
          h.f[6] = Double.doubleToRawLongBits(sign == 0 ? 1 : -1);
          h.f[7] = Double.doubleToRawLongBits(3);
          new Interpreter(machine).step(h);
          assertThat(h.f[5]).as("mode %d", mode).isEqualTo(expected[mode][sign]);
        }
      }
    }
  }

  @Test
  void conversionsFromIntegersAndBetweenFormats() {
    assertThat(fromInteger(Op.FCVT_D_W, 0xffffffffL)).isEqualTo(bits("-1", true));
    assertThat(fromInteger(Op.FCVT_D_WU, -1)).isEqualTo(bits("4294967295", true));
    assertThat(fromInteger(Op.FCVT_D_L, -3)).isEqualTo(bits("-3", true));
    assertThat(fromInteger(Op.FCVT_D_LU, -1)).isEqualTo(bits("18446744073709551616", true));
    assertThat(fromInteger(Op.FCVT_S_W, 7)).isEqualTo(bits("7", false));
    assertThat(fromInteger(Op.FCVT_S_WU, -1)).isEqualTo(bits("4294967296", false));
    assertThat(fromInteger(Op.FCVT_S_L, 16777217)).isEqualTo(bits("16777216", false));
    assertThat(fromInteger(Op.FCVT_S_LU, 1)).isEqualTo(bits("1", false));
    assertThat(fromInteger(Op.FMV_D_X, 42)).isEqualTo(42);
    assertThat(fromInteger(Op.FMV_W_X, 0x3f800000)).isEqualTo(bits("1", false));
    try (Machine machine = one(Decoder.encode(Op.FCVT_S_D, 5, 6, 0, 0, 0, 0))) {
      hart(machine).f[6] = bits("0.1", true);
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).f[5]).isEqualTo(bits("0.1", false));
    }
    try (Machine machine = one(Decoder.encode(Op.FCVT_D_S, 5, 6, 0, 0, 0, 0))) {
      hart(machine).f[6] = bits("0.5", false);
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).f[5]).isEqualTo(bits("0.5", true));
    }
    try (Machine machine = one(Decoder.encode(Op.FMV_X_W, 5, 6, 0, 0, 0, 0))) {
      hart(machine).f[6] = bits("-1", false);
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).x[5]).isEqualTo(0xffffffffbf800000L);
    }
  }

  private static long fromInteger(Op op, long value) {
    try (Machine machine = one(Decoder.encode(op, 5, 6, 0, 0, 0, 0))) {
      hart(machine).x[6] = value;
      new Interpreter(machine).step(hart(machine));
      return hart(machine).f[5];
    }
  }

  @Test
  void loadsAndStoresOfEverySizeMisalignedToo() {
    long content = 0x8786858483828180L;
    Object[][] loads = {
      {Op.LB, 0xffffffffffffff81L},
      {Op.LBU, 0x81L},
      {Op.LH, 0xffffffffffff8281L},
      {Op.LHU, 0x8281L},
      {Op.LW, 0xffffffff84838281L},
      {Op.LWU, 0x84838281L},
      {Op.LD, 0x0087868584838281L},
      {Op.FLW, 0xffffffff84838281L},
      {Op.FLD, 0x0087868584838281L}
    };
    for (Object[] row : loads) {
      Op op = (Op) row[0];
      try (Machine machine = one(Decoder.encode(op, 5, 6, 0, 0, 1, 0))) {
        Hart h = hart(machine);
        h.x[6] = TinyElf.DATA;
        machine.memory().store64(TinyElf.DATA, content);
        machine.memory().store64(TinyElf.DATA + 8, 0);
        new Interpreter(machine).step(h);
        assertThat(op.file(0) == 'f' ? h.f[5] : h.x[5]).as("%s", op).isEqualTo((long) row[1]);
        assertThat(h.address).isEqualTo(TinyElf.DATA + 1);
      }
    }
    for (Op op : new Op[] {Op.SB, Op.SH, Op.SW, Op.SD, Op.FSW, Op.FSD}) {
      try (Machine machine = one(Decoder.encode(op, 0, 6, 7, 0, -1, 0))) {
        Hart h = hart(machine);
        h.x[6] = TinyElf.DATA + 4;
        h.x[7] = content;
        h.f[7] = content;
        machine.memory().store64(TinyElf.DATA + 3, 0);
        new Interpreter(machine).step(h);
        long mask = -1L >>> 64 - 8 * op.accessBytes();
        assertThat(machine.memory().load64(TinyElf.DATA + 3))
            .as("%s", op)
            .isEqualTo(content & mask);
      }
    }
  }

  @Test
  void branchesAndJumps() {
    long[][] pairs = {{1, 1}, {1, 2}, {-1, 1}};
    boolean[][] taken = {
      {true, false, false},
      {false, true, true},
      {false, true, true},
      {true, false, false},
      {false, true, false},
      {true, false, true}
    };
    Op[] ops = {Op.BEQ, Op.BNE, Op.BLT, Op.BGE, Op.BLTU, Op.BGEU};
    for (int o = 0; o < ops.length; o++) {
      for (int p = 0; p < pairs.length; p++) {
        try (Machine machine = one(Decoder.encode(ops[o], 0, 6, 7, 0, -64, 0))) {
          Hart h = hart(machine);
          h.x[6] = pairs[p][0];
          h.x[7] = pairs[p][1];
          long pc = h.pc;
          new Interpreter(machine).step(h);
          assertThat(h.pc).as("%s %d", ops[o], p).isEqualTo(taken[o][p] ? pc - 64 : pc + 4);
          assertThat(h.taken).isEqualTo(taken[o][p]);
        }
      }
    }
    try (Machine machine = one(Decoder.encode(Op.JAL, 1, 0, 0, 0, 2048, 0))) {
      long pc = hart(machine).pc;
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).pc).isEqualTo(pc + 2048);
      assertThat(hart(machine).x[1]).isEqualTo(pc + 4);
    }
    try (Machine machine = one(Decoder.encode(Op.JALR, 6, 6, 0, 0, 3, 0))) {
      hart(machine).x[6] = 0x1000;
      long pc = hart(machine).pc;
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).pc).isEqualTo(0x1002);
      assertThat(hart(machine).x[6]).isEqualTo(pc + 4);
    }
    try (Machine machine = one(Decoder.encode(Op.LUI, 5, 0, 0, 0, 0x80000000, 0))) {
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).x[5]).isEqualTo(0xffffffff80000000L);
    }
    try (Machine machine = one(Decoder.encode(Op.AUIPC, 5, 0, 0, 0, 0x1000, 0))) {
      long pc = hart(machine).pc;
      new Interpreter(machine).step(hart(machine));
      assertThat(hart(machine).x[5]).isEqualTo(pc + 0x1000);
    }
  }

  @Test
  void readModifyWrites() {
    Object[][] rows = {
      {"AMOSWAP", 5L, 7L, 7L}, {"AMOADD", 5L, 7L, 12L}, {"AMOXOR", 5L, 7L, 2L},
      {"AMOAND", 5L, 6L, 4L}, {"AMOOR", 5L, 2L, 7L}, {"AMOMIN", 5L, -1L, -1L},
      {"AMOMAX", 5L, -1L, 5L}, {"AMOMINU", 5L, -1L, 5L}, {"AMOMAXU", 5L, -1L, -1L}
    };
    for (String width : new String[] {"W", "D"}) {
      for (Object[] row : rows) {
        Op op = Op.valueOf(row[0] + "_" + width);
        try (Machine machine = one(Decoder.encode(op, 5, 6, 7, 0, 0, 0))) {
          Hart h = hart(machine);
          h.x[6] = TinyElf.DATA;
          h.x[7] = (long) row[2];
          machine.memory().store64(TinyElf.DATA, (long) row[1]);
          new Interpreter(machine).step(h);
          assertThat(h.x[5]).as("%s", op).isEqualTo((long) row[1]);
          long now = machine.memory().load64(TinyElf.DATA);
          assertThat(width.equals("W") ? (int) now : now).as("%s", op).isEqualTo((long) row[3]);
        }
      }
    }
  }

  @Test
  void storeConditionalSucceedsOnceAndOnlyAfterItsLoad() {
    for (String width : new String[] {"W", "D"}) {
      Op[] ops = {Op.valueOf("LR_" + width), Op.valueOf("SC_" + width)};
      EXECUTED.addAll(Arrays.asList(ops));
      int load = Decoder.encode(ops[0], 5, 6, 0, 0, 0, 0);
      int store = Decoder.encode(ops[1], 8, 6, 7, 0, 0, 0);
      byte[] elf = new TinyElf().word(load).word(store).word(store).build();
      try (Machine machine = Programs.machine(elf, new ByteArrayOutputStream(), "x")) {
        Hart h = hart(machine);
        h.x[6] = TinyElf.DATA;
        h.x[7] = 9;
        machine.memory().store64(TinyElf.DATA, 0xfffffff1L);
        Interpreter interpreter = new Interpreter(machine);
        interpreter.step(h);
        assertThat(h.x[5]).isEqualTo(width.equals("W") ? -15 : 0xfffffff1L);
        interpreter.step(h);
        assertThat(h.x[8]).isZero();
        assertThat(machine.memory().load64(TinyElf.DATA)).isEqualTo(9);
        interpreter.step(h);
        assertThat(h.x[8]).isOne();
      }
    }
  }

  @Test
  void controlRegisters() {
    // fcsr holds up (3) and inexact; each operation reads it and writes what its name says
    Object[][] rows = {
      {Op.CSRRW, 0x85L, 0x85}, {Op.CSRRS, 0x06L, 0x67}, {Op.CSRRC, 0x21L, 0x40},
      {Op.CSRRWI, 0x1fL, 0x1f}, {Op.CSRRSI, 0x04L, 0x65}, {Op.CSRRCI, 0x01L, 0x60}
    };
    for (Object[] row : rows) {
      Op op = (Op) row[0];
      boolean immediate = op.name().endsWith("I");
      int source = immediate ? (int) (long) row[1] : 6;
      try (Machine machine = one(Decoder.encode(op, 5, source, 0, 0, 3, 0))) {
        Hart h = hart(machine);
        h.floatStatus.setCsr(0x61);
        h.x[6] = immediate ? 0 : (long) row[1];
        new Interpreter(machine).step(h);
        assertThat(h.x[5]).as("%s", op).isEqualTo(0x61);
        assertThat(h.floatStatus.csr()).as("%s", op).isEqualTo((int) row[2]);
      }
    }
  }

  @Test
  void systemAndFences() {
    for (Op op : new Op[] {Op.FENCE, Op.FENCE_I}) {
      try (Machine machine = one(Decoder.encode(op, 0, 0, 0, 0, 0, 0))) {
        long pc = hart(machine).pc;
        new Interpreter(machine).step(hart(machine));
        assertThat(hart(machine).pc).as("%s", op).isEqualTo(pc + 4);
        assertThat(hart(machine).x[5]).as("%s", op).isZero();
      }
    }
    try (Machine machine = one(Decoder.encode(Op.ECALL, 0, 0, 0, 0, 0, 0))) {
      hart(machine).x[17] = 93; // exit
      hart(machine).x[10] = 0x107;
      new Interpreter(machine).step(hart(machine));
      assertThat(machine.isFinished()).isTrue();
      assertThat(machine.exitStatus()).isEqualTo(7);
    }
    try (Machine machine = one(Decoder.encode(Op.EBREAK, 0, 0, 0, 0, 0, 0))) {
      assertThatThrownBy(() -> new Interpreter(machine).step(hart(machine)))
          .isInstanceOf(ProgramFault.class)
          .hasMessageContaining("breakpoint at pc 0x");
    }
  }

  /// Fails when an operation is added without a value worked by hand.
  @Test
  void everyOperationHasAValue() {
    EXECUTED.clear();
    integers();
    doubles();
    singles();
    fusedOperations();
    conversionsFromIntegersAndBetweenFormats();
    loadsAndStoresOfEverySizeMisalignedToo();
    branchesAndJumps();
    readModifyWrites();
    storeConditionalSucceedsOnceAndOnlyAfterItsLoad();
    controlRegisters();
    systemAndFences();
    assertThat(EnumSet.complementOf(EnumSet.copyOf(EXECUTED))).isEmpty();
  }
}
