package io.spillway.simulator.functional;

import static java.lang.constant.ConstantDescs.CD_byte;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_short;
import static java.lang.constant.ConstantDescs.CD_void;

import io.spillway.simulator.isa.Immediate;
import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.Op;
import io.spillway.simulator.machine.IntegerOps;
import io.spillway.simulator.machine.Memory;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/// Translates single instructions to bytecode. Operations of more than a few bytecodes call the
/// methods that the interpreter uses too; HotSpot inlines them.
final class Translator {
  private static final ClassDesc MEMORY = RegionCompiler.desc(Memory.class);
  private static final ClassDesc INTEGER_OPS = RegionCompiler.desc(IntegerOps.class);
  private static final ClassDesc MATH = RegionCompiler.desc(Math.class);
  private static final MethodTypeDesc LONG_LONG_LONG = MethodTypeDesc.of(CD_long, CD_long, CD_long);

  private final CodeBuilder code;
  private final RegisterPlan plan;
  private final boolean[] computedAhead = new boolean[32];

  Translator(CodeBuilder code, RegisterPlan plan) {
    this.code = code;
    this.plan = plan;
  }

  private void load(int register) {
    if (register == 0) {
      code.lconst_0();
    } else {
      code.lload(computedAhead[register] ? plan.aheadSlot(register) : plan.slot(register));
    }
  }

  private void store(int register) {
    if (register == 0) {
      code.pop2();
    } else {
      code.lstore(plan.slot(register));
    }
  }

  /// `register = value`.
  void constant(int register, long value) {
    if (register != 0) {
      code.loadConstant(value).lstore(plan.slot(register));
    }
  }

  /// Puts the target of an indirect jump into a variable.
  void indirectTarget(Instruction in, int slot) {
    load(in.rs1());
    code.loadConstant(in.imm()).ladd().loadConstant(-2L).land().lstore(slot);
  }

  /// Jumps to `taken` if the branch is taken.
  void branch(Instruction in, Label taken) {
    load(in.rs1());
    load(in.rs2());
    switch (in.op()) {
      case BEQ -> code.lcmp().ifeq(taken);
      case BNE -> code.lcmp().ifne(taken);
      case BLT -> code.lcmp().iflt(taken);
      case BGE -> code.lcmp().ifge(taken);
      case BLTU -> compareUnsigned().iflt(taken);
      default -> compareUnsigned().ifge(taken);
    }
  }

  private CodeBuilder compareUnsigned() {
    return code.invokestatic(
        RegionCompiler.desc(Long.class),
        "compareUnsigned",
        MethodTypeDesc.of(CD_int, CD_long, CD_long));
  }

  /// Any instruction that does not change the flow of control; memory accesses were checked before.
  void emit(Instruction in, long pc) {
    switch (in.opClass()) {
      case INTEGER_ALU, INTEGER_MULTIPLY, INTEGER_DIVIDE -> {
        if (in.rd() != 0) {
          integer(in, pc);
          store(in.rd());
        }
      }
      case LOAD -> loadMemory(in);
      case STORE -> storeMemory(in);
      case FENCE -> {}
      default -> new FloatTranslator(code, plan).emit(in);
    }
  }

  private void integer(Instruction in, long pc) {
    switch (in.op()) {
      case LUI -> code.loadConstant(in.imm());
      case AUIPC -> code.loadConstant(pc + in.imm());
      case ADDI -> addImmediate(in);
      case XORI -> immediate(in).lxor();
      case ORI -> immediate(in).lor();
      case ANDI -> immediate(in).land();
      case SLLI -> shift(in).lshl();
      case SRLI -> shift(in).lushr();
      case SRAI -> shift(in).lshr();
      case ADD -> both(in).ladd();
      case SUB -> both(in).lsub();
      case XOR -> both(in).lxor();
      case OR -> both(in).lor();
      case AND -> both(in).land();
      case SLL -> both(in).l2i().lshl();
      case SRL -> both(in).l2i().lushr();
      case SRA -> both(in).l2i().lshr();
      case ADDIW -> immediate(in).ladd().l2i().i2l();
      case ADDW -> both(in).ladd().l2i().i2l();
      case SUBW -> both(in).lsub().l2i().i2l();
      case MULW -> both(in).lmul().l2i().i2l();
      case SLLIW -> wordShift(in).ishl().i2l();
      case SRLIW -> wordShift(in).iushr().i2l();
      case SRAIW -> wordShift(in).ishr().i2l();
      case SLLW -> words(in).ishl().i2l();
      case SRLW -> words(in).iushr().i2l();
      case SRAW -> words(in).ishr().i2l();
      case SLTI, SLTIU -> call(immediate(in), in.op() == Op.SLTI ? "slt" : "sltu");
      case MUL -> both(in).lmul();
      case MULH -> both(in).invokestatic(MATH, "multiplyHigh", LONG_LONG_LONG);
      case MULHU -> both(in).invokestatic(MATH, "unsignedMultiplyHigh", LONG_LONG_LONG);
      case MIN -> both(in).invokestatic(MATH, "min", LONG_LONG_LONG);
      case MAX -> both(in).invokestatic(MATH, "max", LONG_LONG_LONG);
      default -> named(in);
    }
  }

  private CodeBuilder both(Instruction in) {
    load(in.rs1());
    load(in.rs2());
    return code;
  }

  private CodeBuilder words(Instruction in) {
    load(in.rs1());
    code.l2i();
    load(in.rs2());
    return code.l2i();
  }

  private CodeBuilder immediate(Instruction in) {
    load(in.rs1());
    return code.loadConstant(in.imm());
  }

  private void addImmediate(Instruction in) {
    sum(in.rs1(), in.imm());
  }

  private void sum(int register, long constant) {
    if (register == 0) {
      code.loadConstant(constant);
    } else {
      load(register);
      if (constant != 0) {
        code.loadConstant(constant).ladd();
      }
    }
  }

  private CodeBuilder shift(Instruction in) {
    load(in.rs1());
    return code.loadConstant((int) in.imm());
  }

  private CodeBuilder wordShift(Instruction in) {
    load(in.rs1());
    code.l2i();
    return code.loadConstant((int) in.imm());
  }

  /// The method of [IntegerOps] that bears the operation's name; forms with an immediate pass it as
  /// the second operand.
  private void named(Instruction in) {
    String name = in.op().name().toLowerCase(Locale.ROOT).replace("_", "");
    boolean hasImmediate = in.op().immediate() != Immediate.NONE;
    if (hasImmediate) {
      call(immediate(in), name.replaceFirst("i(w|uw)?$", "$1"));
    } else if (in.op().file(2) == 'x') {
      call(both(in), name);
    } else {
      load(in.rs1());
      code.invokestatic(INTEGER_OPS, name, MethodTypeDesc.of(CD_long, CD_long));
    }
  }

  private static void call(CodeBuilder at, String name) {
    at.invokestatic(INTEGER_OPS, name, LONG_LONG_LONG);
  }

  /// Leaves for `fault` unless every access of the segment is allowed.
  ///
  /// What is computed ahead goes to variables of its own; HotSpot finds the same values again where
  /// the instructions themselves stand.
  void check(Segment segment, List<Instruction> block, IntToLongFunction pc, Label fault) {
    boolean any = accumulate(segment.accesses().get(-1), false);
    for (int i : segment.ahead()) {
      Instruction in = block.get(i);
      integer(in, pc.applyAsLong(i));
      code.lstore(plan.aheadSlot(in.rd()));
      computedAhead[in.rd()] = true;
      any = accumulate(segment.accesses().get(i), any);
    }
    Arrays.fill(computedAhead, false);
    code.iconst_1().iand().ifeq(fault);
  }

  private boolean accumulate(@Nullable List<Segment.Access> accesses, boolean any) {
    boolean some = any;
    if (accesses != null) {
      for (Segment.Access access : accesses) {
        some = accumulate(access, access.lowest(), some);
        if (!access.isOne()) {
          some = accumulate(access, access.highest(), some);
        }
      }
    }
    return some;
  }

  private boolean accumulate(Segment.Access access, long offset, boolean any) {
    code.lload(RegionCompiler.BASE_SLOT);
    sum(access.base(), offset);
    code.invokestatic(
        MEMORY,
        access.writes() ? "writable" : "readable",
        MethodTypeDesc.of(CD_int, CD_long, CD_long));
    if (any) {
      code.iand();
    }
    return true;
  }

  private void address(Instruction in) {
    code.lload(RegionCompiler.BASE_SLOT);
    sum(in.rs1(), in.imm());
    code.ladd();
  }

  private void loadMemory(Instruction in) {
    address(in);
    switch (in.op()) {
      case LB -> get("get8", CD_byte).i2l();
      case LBU -> get("get8", CD_byte).sipush(255).iand().i2l();
      case LH -> get("get16", CD_short).i2l();
      case LHU -> get("get16", CD_short).ldc(0xffff).iand().i2l();
      case LW -> get("get32", CD_int).i2l();
      case LWU -> get("get32", CD_int).i2l().ldc(0xffffffffL).land();
      case LD -> get("get64", CD_long);
      case FLD -> {
        if (plan.kind(in.destination()) == RegisterPlan.Kind.TWICE) {
          get("getDouble", CD_double).dstore(plan.slot(in.destination()));
        } else {
          get("get64", CD_long);
          plan.storeBits(code, in.destination());
        }
        return;
      }
      default -> {
        get("getFloat", CD_float);
        plan.storeFloat(code, in.destination());
        return;
      }
    }
    store(in.rd());
  }

  private CodeBuilder get(String name, ClassDesc result) {
    return code.invokestatic(MEMORY, name, MethodTypeDesc.of(result, CD_long));
  }

  private void storeMemory(Instruction in) {
    address(in);
    switch (in.op()) {
      case SD -> {
        load(in.rs2());
        put("put64", CD_long);
      }
      case FSD -> {
        if (plan.kind(in.source2()) == RegisterPlan.Kind.TWICE) {
          code.dload(plan.slot(in.source2()));
          put("putDouble", CD_double);
        } else {
          plan.loadBits(code, in.source2());
          put("put64", CD_long);
        }
      }
      case FSW -> {
        plan.loadBits(code, in.source2());
        code.l2i();
        put("put32", CD_int);
      }
      default -> {
        load(in.rs2());
        code.l2i();
        put("put" + in.accessBytes() * 8, CD_int);
      }
    }
  }

  private void put(String name, ClassDesc value) {
    code.invokestatic(MEMORY, name, MethodTypeDesc.of(CD_void, CD_long, value));
  }
}
