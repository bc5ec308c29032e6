package io.spillway.simulator.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.simulator.Programs;
import io.spillway.simulator.TinyElf;
import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Op;
import java.io.ByteArrayOutputStream;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Instructions on a path that is not taken: values, addresses and targets as they would be, and
/// nothing of it in the machine.
class SpeculationTest {
  private Machine machine;
  private Hart hart;
  private Speculation speculation;
  private long data;

  @BeforeEach
  void aMachineWithNumbersInItsData() throws Exception {
    TinyElf program = new TinyElf().value(10, 0).writeAndExit(0, 0, 0);
    program.data().putLong(0, 0x1122334455667788L).putLong(8, -3);
    machine = Programs.machine(program.build(), new ByteArrayOutputStream());
    hart = machine.harts().get(0);
    data = program.dataAddress();
    hart.x[5] = data;
    hart.x[6] = 7;
    speculation = new Speculation(machine);
    speculation.begin(hart);
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private void run(Op op, int rd, int rs1, int rs2, long imm) {
    int word = Decoder.encode(op, rd, rs1, rs2, 0, imm, 7);
    speculation.execute(Objects.requireNonNull(Decoder.decode(word)), 0x1000);
  }

  @Test
  void followsIntegersThroughMemory() {
    run(Op.LW, 7, 5, 0, 4);
    assertThat(speculation.address).isEqualTo(data + 4);
    run(Op.ADD, 7, 7, 6, 0);
    assertThat(speculation.register(7)).isEqualTo(0x11223344L + 7);
    run(Op.MUL, 8, 6, 6, 0);
    assertThat(speculation.register(8)).isEqualTo(49);
    assertThat(hart.x[7]).isZero();
  }

  @Test
  void keepsStoresToItself() {
    run(Op.SD, 0, 5, 6, 8);
    run(Op.LD, 7, 5, 0, 8);
    assertThat(speculation.register(7)).isEqualTo(7);
    assertThat(machine.memory().load64(data + 8)).isEqualTo(-3);
    // part of a stored value is not known
    run(Op.LB, 7, 5, 0, 8);
    assertThatThrownBy(() -> speculation.register(7)).hasMessageContaining("x7 is not known");
  }

  @Test
  void saysWhereBranchesGo() {
    run(Op.BEQ, 0, 6, 6, 64);
    assertThat(speculation.next).isEqualTo(0x1040);
    run(Op.BNE, 0, 6, 6, 64);
    assertThat(speculation.next).isEqualTo(0x1004);
    run(Op.JALR, 1, 5, 0, 3);
    assertThat(speculation.next).isEqualTo(data + 3 & ~1L);
    assertThat(speculation.register(1)).isEqualTo(0x1004);
  }

  @Test
  void doesNotKnowWhatItCannotSee() {
    // memory that is not there, float units, and what follows from them
    run(Op.LD, 7, 0, 0, 16);
    assertThat(speculation.address).isEqualTo(Speculation.UNKNOWN);
    run(Op.ADDI, 8, 7, 0, 1);
    run(Op.LD, 9, 8, 0, 0);
    assertThat(speculation.address).isEqualTo(Speculation.UNKNOWN);
    run(Op.BEQ, 0, 8, 6, 64);
    assertThat(speculation.next).isEqualTo(Speculation.UNKNOWN);
    run(Op.FCVT_L_D, 6, 1, 0, 0);
    run(Op.JALR, 0, 6, 0, 0);
    assertThat(speculation.next).isEqualTo(Speculation.UNKNOWN);
    // known again once it is overwritten
    run(Op.ADDI, 8, 0, 0, 5);
    assertThat(speculation.register(8)).isEqualTo(5);
  }

  @Test
  void goesOnFromACopy() {
    run(Op.SD, 0, 5, 6, 8);
    Speculation copy = new Speculation(machine);
    copy.begin(speculation);
    run(Op.ADDI, 6, 6, 0, 1);
    copy.execute(
        Objects.requireNonNull(Decoder.decode(Decoder.encode(Op.LD, 7, 5, 0, 0, 8, 7))), 0);
    assertThat(copy.register(7)).isEqualTo(7);
    assertThat(copy.register(6)).isEqualTo(7);
  }

  /// Held against the interpreter over random integer operations.
  @Test
  void agreesWithTheInterpreter() {
    Op[] ops = {
      Op.ADD, Op.SUB, Op.SLL, Op.SRA, Op.SLTU, Op.XOR, Op.ADDW, Op.SRLW, Op.MUL, Op.MULHU, Op.DIV,
      Op.REMUW, Op.SH2ADD, Op.ANDN, Op.ROL, Op.MAXU
    };
    Random random = new Random(5);
    Interpreter interpreter = new Interpreter(machine);
    for (int r = 1; r < 32; r++) {
      hart.x[r] = random.nextLong() >> random.nextInt(64);
    }
    speculation.begin(hart);
    for (int i = 0; i < 5000; i++) {
      Op op = ops[random.nextInt(ops.length)];
      int rd = random.nextInt(32);
      int rs1 = random.nextInt(32);
      int rs2 = random.nextInt(32);
      run(op, rd, rs1, rs2, 0);
      interpreter.step(
          hart, Objects.requireNonNull(Decoder.decode(Decoder.encode(op, rd, rs1, rs2, 0, 0, 7))));
      assertThat(speculation.register(rd)).as(op + " at " + i).isEqualTo(hart.x[rd]);
    }
  }
}
