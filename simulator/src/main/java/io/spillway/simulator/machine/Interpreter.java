package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.Op;
import org.jspecify.annotations.Nullable;

/// Executes one instruction at a time: the reference for every engine, and the way by which timing
/// models execute. See the package for what a step leaves in the [Hart].
///
/// **Errors:** [ProgramFault] where the program does something that it cannot survive.
public final class Interpreter implements Engine {
  private final Machine machine;
  private final Memory memory;

  public Interpreter(Machine machine) {
    this.machine = machine;
    this.memory = machine.memory();
  }

  /// Executes the instruction at `hart.pc`.
  public void step(Hart hart) {
    long pc = hart.pc;
    try {
      Instruction in = fetch(hart, pc);
      hart.instruction = in;
      step(hart, in);
    } catch (MemoryFault fault) {
      hart.lastPc = pc;
      machine.fault(hart, fault);
    } catch (IllegalInstruction fault) {
      hart.lastPc = pc;
      machine.illegal(hart, fault);
    }
  }

  /// Executes `in`, which the caller knows to be the instruction at `hart.pc`; `hart.instruction`
  /// is left as it was, unless it is a call of the system.
  public void step(Hart hart, Instruction in) {
    long pc = hart.pc;
    try {
      hart.lastPc = pc;
      execute(hart, in, pc, pc + in.length());
      hart.x[0] = 0;
      hart.retired++;
    } catch (MemoryFault fault) {
      machine.fault(hart, fault);
    } catch (IllegalInstruction fault) {
      machine.illegal(hart, fault);
    }
  }

  @Override
  public void run(Hart hart, long count) {
    long end = hart.retired + count;
    while (hart.retired < end && hart.isRunnable() && !machine.isFinished()) {
      step(hart);
    }
  }

  private Instruction fetch(Hart hart, long pc) {
    long page = pc >>> Memory.PAGE_BITS;
    if (page != hart.codePage) {
      hart.codeSlots = machine.codePage(pc);
      hart.codePage = page;
    }
    int slot = (int) (pc & Memory.PAGE_BYTES - 1) >>> 1;
    @Nullable Instruction in = hart.codeSlots[slot];
    return in != null && (pc & 1) == 0 ? in : decode(hart, pc);
  }

  private Instruction decode(Hart hart, long pc) {
    @Nullable Instruction in = machine.decode(pc);
    if (in == null) {
      memory.fetch16(pc); // a fault comes before an unknown word
      throw machine.unknownInstruction(hart, pc);
    }
    return in;
  }

  private void jump(Hart hart, long target, long next) {
    hart.pc = target;
    hart.taken = target != next;
  }

  private void branch(Hart hart, boolean taken, Instruction in, long pc, long next) {
    hart.taken = taken;
    hart.pc = taken ? pc + in.imm() : next;
  }

  private void execute(Hart hart, Instruction in, long pc, long next) {
    long[] x = hart.x;
    int rd = in.rd();
    long a = x[in.rs1()];
    long imm = in.imm();
    switch (in.opClass()) {
      case INTEGER_ALU -> integer(x, in, pc, a, x[in.rs2()], imm);
      case LOAD -> load(hart, in, hart.address = a + imm);
      case STORE -> store(hart, in, hart.address = a + imm);
      case BRANCH -> {
        branch(hart, holds(in, a, x[in.rs2()]), in, pc, next);
        return;
      }
      case JUMP -> {
        jump(hart, pc + imm, next);
        x[rd] = next;
        return;
      }
      case INDIRECT_JUMP -> {
        jump(hart, a + imm & ~1L, next);
        x[rd] = next;
        return;
      }
      case INTEGER_MULTIPLY, INTEGER_DIVIDE -> multiply(x, in, a, x[in.rs2()]);
      case ATOMIC -> {
        hart.address = a;
        AtomicOps.execute(memory, hart, in);
      }
      case SYSTEM -> {
        system(hart, in, next);
        return;
      }
      case FENCE -> {
        if (in.op() == Op.FENCE_I) {
          machine.codeChanged();
        }
      }
      default -> machine.floats().execute(hart, in, pc);
    }
    hart.taken = false;
    hart.pc = next;
  }

  /// Whether a conditional branch is taken.
  static boolean holds(Instruction in, long a, long b) {
    return switch (in.op()) {
      case BEQ -> a == b;
      case BNE -> a != b;
      case BLT -> a < b;
      case BGE -> a >= b;
      case BLTU -> Long.compareUnsigned(a, b) < 0;
      case BGEU -> Long.compareUnsigned(a, b) >= 0;
      default -> throw unexpected(in);
    };
  }

  private void load(Hart hart, Instruction in, long address) {
    switch (in.op()) {
      case LB -> hart.x[in.rd()] = memory.load8(address);
      case LH -> hart.x[in.rd()] = memory.load16(address);
      case LW -> hart.x[in.rd()] = memory.load32(address);
      case LD -> hart.x[in.rd()] = memory.load64(address);
      case LBU -> hart.x[in.rd()] = memory.load8(address) & 0xff;
      case LHU -> hart.x[in.rd()] = memory.load16(address) & 0xffff;
      case LWU -> hart.x[in.rd()] = memory.load32(address) & 0xffffffffL;
      case FLW -> hart.f[in.rd()] = FloatOps.box(memory.load32(address));
      case FLD -> hart.f[in.rd()] = memory.load64(address);
      default -> throw unexpected(in);
    }
  }

  private void store(Hart hart, Instruction in, long address) {
    switch (in.op()) {
      case SB -> memory.store8(address, (int) hart.x[in.rs2()]);
      case SH -> memory.store16(address, (int) hart.x[in.rs2()]);
      case SW -> memory.store32(address, (int) hart.x[in.rs2()]);
      case SD -> memory.store64(address, hart.x[in.rs2()]);
      case FSW -> memory.store32(address, (int) hart.f[in.rs2()]);
      case FSD -> memory.store64(address, hart.f[in.rs2()]);
      default -> throw unexpected(in);
    }
  }

  static void multiply(long[] x, Instruction in, long a, long b) {
    x[in.rd()] =
        switch (in.op()) {
          case MUL -> a * b;
          case MULH -> Math.multiplyHigh(a, b);
          case MULHSU -> IntegerOps.mulhsu(a, b);
          case MULHU -> Math.unsignedMultiplyHigh(a, b);
          case DIV -> IntegerOps.div(a, b);
          case DIVU -> IntegerOps.divu(a, b);
          case REM -> IntegerOps.rem(a, b);
          case REMU -> IntegerOps.remu(a, b);
          case MULW -> (int) (a * b);
          case DIVW -> IntegerOps.divw(a, b);
          case DIVUW -> IntegerOps.divuw(a, b);
          case REMW -> IntegerOps.remw(a, b);
          case REMUW -> IntegerOps.remuw(a, b);
          default -> throw unexpected(in);
        };
  }

  static void integer(long[] x, Instruction in, long pc, long a, long b, long imm) {
    x[in.rd()] =
        switch (in.op()) {
          case LUI -> imm;
          case AUIPC -> pc + imm;
          case ADDI -> a + imm;
          case SLTI -> IntegerOps.slt(a, imm);
          case SLTIU -> IntegerOps.sltu(a, imm);
          case XORI -> a ^ imm;
          case ORI -> a | imm;
          case ANDI -> a & imm;
          case SLLI -> a << imm;
          case SRLI -> a >>> imm;
          case SRAI -> a >> imm;
          case ADD -> a + b;
          case SUB -> a - b;
          case SLL -> a << b;
          case SLT -> IntegerOps.slt(a, b);
          case SLTU -> IntegerOps.sltu(a, b);
          case XOR -> a ^ b;
          case SRL -> a >>> b;
          case SRA -> a >> b;
          case OR -> a | b;
          case AND -> a & b;
          case ADDIW -> (int) (a + imm);
          case SLLIW -> (int) a << imm;
          case SRLIW -> (int) a >>> imm;
          case SRAIW -> (int) a >> imm;
          case ADDW -> (int) (a + b);
          case SUBW -> (int) (a - b);
          case SLLW -> (int) a << (int) b;
          case SRLW -> (int) a >>> (int) b;
          case SRAW -> (int) a >> (int) b;
          default -> bitManipulation(in, a, b, imm);
        };
  }

  private static long bitManipulation(Instruction in, long a, long b, long imm) {
    return switch (in.op()) {
      case SH1ADD -> (a << 1) + b;
      case SH2ADD -> (a << 2) + b;
      case SH3ADD -> (a << 3) + b;
      case SH1ADD_UW -> ((a & 0xffffffffL) << 1) + b;
      case SH2ADD_UW -> ((a & 0xffffffffL) << 2) + b;
      case SH3ADD_UW -> ((a & 0xffffffffL) << 3) + b;
      case ADD_UW -> (a & 0xffffffffL) + b;
      case SLLI_UW -> (a & 0xffffffffL) << imm;
      case ANDN -> a & ~b;
      case ORN -> a | ~b;
      case XNOR -> ~(a ^ b);
      case CLZ -> Long.numberOfLeadingZeros(a);
      case CTZ -> Long.numberOfTrailingZeros(a);
      case CPOP -> Long.bitCount(a);
      case CLZW -> Integer.numberOfLeadingZeros((int) a);
      case CTZW -> Integer.numberOfTrailingZeros((int) a);
      case CPOPW -> Integer.bitCount((int) a);
      case MIN -> Math.min(a, b);
      case MINU -> IntegerOps.minu(a, b);
      case MAX -> Math.max(a, b);
      case MAXU -> IntegerOps.maxu(a, b);
      case SEXT_B -> (byte) a;
      case SEXT_H -> (short) a;
      case ZEXT_H -> a & 0xffff;
      case ROL -> Long.rotateLeft(a, (int) b);
      case ROR -> Long.rotateRight(a, (int) b);
      case ROLW -> Integer.rotateLeft((int) a, (int) b);
      case RORW -> Integer.rotateRight((int) a, (int) b);
      case RORI -> Long.rotateRight(a, (int) imm);
      case RORIW -> Integer.rotateRight((int) a, (int) imm);
      case ORC_B -> IntegerOps.orcb(a);
      case REV8 -> Long.reverseBytes(a);
      case BCLR -> a & ~(1L << b);
      case BCLRI -> a & ~(1L << imm);
      case BEXT -> a >>> b & 1;
      case BEXTI -> a >>> imm & 1;
      case BINV -> a ^ 1L << b;
      case BINVI -> a ^ 1L << imm;
      case BSET -> a | 1L << b;
      case BSETI -> a | 1L << imm;
      default -> throw unexpected(in);
    };
  }

  private void system(Hart hart, Instruction in, long next) {
    hart.taken = false;
    hart.instruction = in;
    switch (in.op()) {
      case ECALL -> {
        hart.pc = next;
        machine.call(hart);
      }
      case EBREAK -> machine.breakpoint(hart);
      default -> {
        controlRegister(hart, in);
        hart.pc = next;
      }
    }
  }

  private void controlRegister(Hart hart, Instruction in) {
    int number = (int) in.imm();
    long operand =
        switch (in.op()) {
          case CSRRWI, CSRRSI, CSRRCI -> in.rs1();
          default -> hart.x[in.rs1()];
        };
    boolean always = in.op() == Op.CSRRW || in.op() == Op.CSRRWI;
    boolean writes = always || in.rs1() != 0;
    FloatStatus s = hart.floatStatus;
    long old =
        switch (number) {
          case 1 -> s.flags();
          case 2 -> s.mode();
          case 3 -> s.csr();
          case 0xc00 -> machine.cycles(hart);
          case 0xc01 -> machine.nanos();
          case 0xc02 -> hart.retired;
          default -> throw machine.unknownInstruction(hart, hart.lastPc);
        };
    if (writes) {
      long value =
          switch (in.op()) {
            case CSRRW, CSRRWI -> operand;
            case CSRRS, CSRRSI -> old | operand;
            default -> old & ~operand;
          };
      switch (number) {
        case 1 -> s.setCsr(s.mode() << 5 | value & 31);
        case 2 -> s.setCsr((value & 7) << 5 | s.flags());
        case 3 -> s.setCsr(value & 255);
        default -> throw machine.unknownInstruction(hart, hart.lastPc);
      }
    }
    hart.x[in.rd()] = old;
  }

  private static IllegalStateException unexpected(Instruction in) {
    return new IllegalStateException("operation of another class: " + in.op());
  }
}
