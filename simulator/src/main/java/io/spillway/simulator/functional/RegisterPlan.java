package io.spillway.simulator.functional;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.Op;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/// Which registers a region uses, where they lie, and as what float registers are kept: as a double
/// or a float if all instructions of the region agree, else as bits.
final class RegisterPlan {
  /// How a float register is kept.
  enum Kind {
    RAW,
    SINGLE,
    TWICE
  }

  private static final int SEEN_SINGLE = 1;
  private static final int SEEN_DOUBLE = 2;

  private final boolean[] used = new boolean[64];
  private final boolean[] written = new boolean[64];
  private final int[] seen = new int[64];
  private final int[] slots = new int[64];
  private boolean usesRounding;
  private boolean rounds;

  private final boolean careful;
  private int firstAhead;

  private RegisterPlan(boolean careful) {
    this.careful = careful;
  }

  static RegisterPlan of(Region region, boolean careful) {
    RegisterPlan plan = new RegisterPlan(careful);
    for (Region.Block block : region.blocks().values()) {
      block.instructions().forEach(plan::add);
    }
    int slot = RegionCompiler.FIRST_REGISTER_SLOT;
    for (int r = 0; r < 64; r++) {
      if (plan.used[r]) {
        plan.slots[r] = slot;
        slot += 2;
      }
    }
    plan.firstAhead = slot;
    return plan;
  }

  private void add(Instruction in) {
    use(in.source1(), sourceKind(in.op()));
    use(in.source2(), sourceKind(in.op()));
    use(in.source3(), sourceKind(in.op()));
    use(in.destination(), destinationKind(in.op()));
    if (in.destination() > 0) {
      written[in.destination()] = true;
    }
    rounds |= in.op().isRounded();
    usesRounding |= in.op().isRounded() && in.roundingMode() == 7;
  }

  private void use(int register, int kind) {
    if (register > 0) {
      used[register] = true;
      seen[register] |= kind;
    }
  }

  private static int sourceKind(Op op) {
    return switch (op) {
      case FCVT_S_D -> SEEN_DOUBLE;
      case FCVT_D_S -> SEEN_SINGLE;
      default -> precision(op);
    };
  }

  private static int destinationKind(Op op) {
    return precision(op);
  }

  private static int precision(Op op) {
    return switch (op) {
      case FLD, FSD -> SEEN_DOUBLE;
      case FLW, FSW -> SEEN_SINGLE;
      default -> (op.match() >>> 25 & 1) == 1 ? SEEN_DOUBLE : SEEN_SINGLE;
    };
  }

  boolean isUsed(int register) {
    return used[register];
  }

  boolean isWritten(int register) {
    return written[register];
  }

  /// Whether instructions look at the dynamic rounding mode.
  boolean usesRounding() {
    return usesRounding;
  }

  /// Whether the code is for a settled float status, which it must find when it is entered.
  boolean isSettled() {
    return !careful && rounds;
  }

  /// A second variable of an integer register, for values that are computed ahead.
  int aheadSlot(int register) {
    return firstAhead + 2 * register;
  }

  int slot(int register) {
    return slots[register];
  }

  Kind kind(int register) {
    return switch (seen[register]) {
      case SEEN_DOUBLE -> Kind.TWICE;
      case SEEN_SINGLE -> careful ? Kind.RAW : Kind.SINGLE;
      default -> Kind.RAW;
    };
  }

  /// Pushes the 64 bits of a register.
  void loadBits(CodeBuilder code, int register) {
    int slot = slots[register];
    if (register < 32) {
      code.lload(slot);
      return;
    }
    switch (kind(register)) {
      case RAW -> code.lload(slot);
      case TWICE ->
          code.dload(slot)
              .invokestatic(
                  RegionCompiler.desc(Double.class),
                  "doubleToRawLongBits",
                  MethodTypeDesc.of(CD_long, CD_double));
      case SINGLE -> box(code.fload(slot));
    }
  }

  /// Pops 64 bits into a float register.
  void storeBits(CodeBuilder code, int register) {
    if (register < 32) {
      code.lstore(slots[register]);
      return;
    }
    switch (kind(register)) {
      case RAW -> code.lstore(slots[register]);
      case TWICE -> {
        code.invokestatic(
            RegionCompiler.desc(Double.class),
            "longBitsToDouble",
            MethodTypeDesc.of(CD_double, CD_long));
        code.dstore(slots[register]);
      }
      case SINGLE -> {
        unbox(code);
        code.fstore(slots[register]);
      }
    }
  }

  void loadDouble(CodeBuilder code, int register) {
    if (kind(register) == Kind.TWICE) {
      code.dload(slots[register]);
      return;
    }
    loadBits(code, register);
    code.invokestatic(
        RegionCompiler.desc(Double.class),
        "longBitsToDouble",
        MethodTypeDesc.of(CD_double, CD_long));
  }

  void storeDouble(CodeBuilder code, int register) {
    if (kind(register) == Kind.TWICE) {
      code.dstore(slots[register]);
      return;
    }
    code.invokestatic(
        RegionCompiler.desc(Double.class),
        "doubleToRawLongBits",
        MethodTypeDesc.of(CD_long, CD_double));
    storeBits(code, register);
  }

  void loadFloat(CodeBuilder code, int register) {
    if (kind(register) == Kind.SINGLE) {
      code.fload(slots[register]);
      return;
    }
    loadBits(code, register);
    unbox(code);
  }

  void storeFloat(CodeBuilder code, int register) {
    if (kind(register) == Kind.SINGLE) {
      code.fstore(slots[register]);
      return;
    }
    box(code);
    storeBits(code, register);
  }

  private static void box(CodeBuilder code) {
    code.invokestatic(
        RegionCompiler.desc(Float.class), "floatToRawIntBits", MethodTypeDesc.of(CD_int, CD_float));
    code.invokestatic(RegionCompiler.FLOAT_OPS, "box", MethodTypeDesc.of(CD_long, CD_int));
  }

  private static void unbox(CodeBuilder code) {
    code.invokestatic(RegionCompiler.FLOAT_OPS, "unbox", MethodTypeDesc.of(CD_int, CD_long));
    code.invokestatic(
        RegionCompiler.desc(Float.class), "intBitsToFloat", MethodTypeDesc.of(CD_float, CD_int));
  }
}
