package io.spillway.simulator.functional;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.machine.DoubleOps;
import io.spillway.simulator.machine.FloatSigns;
import io.spillway.simulator.machine.SettledFloats;
import io.spillway.simulator.machine.SingleOps;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Translates float instructions to calls of [DoubleOps], [SingleOps] and [FloatOps].
final class FloatTranslator {
  private static final int NEAREST_EVEN = 0;
  private static final int DYNAMIC = 7;
  private static final ClassDesc DOUBLE_OPS = RegionCompiler.desc(DoubleOps.class);
  private static final ClassDesc SINGLE_OPS = RegionCompiler.desc(SingleOps.class);
  private static final ClassDesc SETTLED_FLOATS = RegionCompiler.desc(SettledFloats.class);

  private final CodeBuilder code;
  private final RegisterPlan plan;

  FloatTranslator(CodeBuilder code, RegisterPlan plan) {
    this.code = code;
    this.plan = plan;
  }

  private static boolean isDouble(Instruction in) {
    return (in.op().match() >>> 25 & 1) == 1;
  }

  private void load(boolean wide, int register) {
    if (wide) {
      plan.loadDouble(code, register);
    } else {
      plan.loadFloat(code, register);
    }
  }

  private void store(boolean wide, int register) {
    if (wide) {
      plan.storeDouble(code, register);
    } else {
      plan.storeFloat(code, register);
    }
  }

  private void loadInteger(int register) {
    if (register == 0) {
      code.lconst_0();
    } else {
      code.lload(plan.slot(register));
    }
  }

  private void storeInteger(int register) {
    if (register == 0) {
      code.pop2();
    } else {
      code.lstore(plan.slot(register));
    }
  }

  void emit(Instruction in) {
    boolean wide = isDouble(in);
    String suffix = wide ? "D" : "S";
    ClassDesc type = wide ? CD_double : CD_float;
    String name = in.op().name();
    switch (in.op()) {
      case FADD_S, FADD_D, FSUB_S, FSUB_D, FMUL_S, FMUL_D, FDIV_S, FDIV_D -> {
        status();
        load(wide, in.source1());
        load(wide, in.source2());
        rounded(in, lower(name, 1) + suffix, type, STATUS, type, type);
        store(wide, in.destination());
      }
      case FSQRT_S, FSQRT_D -> {
        status();
        load(wide, in.source1());
        rounded(in, "sqrt" + suffix, type, STATUS, type);
        store(wide, in.destination());
      }
      case FMADD_S, FMADD_D, FMSUB_S, FMSUB_D, FNMSUB_S, FNMSUB_D, FNMADD_S, FNMADD_D ->
          fused(in, wide, type, suffix);
      case FMIN_S, FMIN_D, FMAX_S, FMAX_D -> {
        status();
        load(wide, in.source1());
        load(wide, in.source2());
        call(lower(name, 1) + suffix, type, STATUS, type, type);
        store(wide, in.destination());
      }
      case FEQ_S, FEQ_D, FLT_S, FLT_D, FLE_S, FLE_D -> {
        status();
        load(wide, in.source1());
        load(wide, in.source2());
        call(lower(name, 1) + suffix, CD_long, STATUS, type, type);
        storeInteger(in.rd());
      }
      case FCLASS_S, FCLASS_D -> {
        load(wide, in.source1());
        call("class" + suffix, CD_long, type);
        storeInteger(in.rd());
      }
      case FCVT_S_D -> {
        status();
        load(true, in.source1());
        mode(in);
        call("narrow", CD_float, STATUS, CD_double, CD_int);
        store(false, in.destination());
      }
      case FCVT_D_S -> {
        status();
        load(false, in.source1());
        call("widen", CD_double, STATUS, CD_float);
        store(true, in.destination());
      }
      default -> moves(in, wide, type, suffix);
    }
  }

  private static final ClassDesc STATUS = RegionCompiler.STATUS;

  private void fused(Instruction in, boolean wide, ClassDesc type, String suffix) {
    String name = in.op().name();
    status();
    load(wide, in.source1());
    if (name.startsWith("FNM")) {
      negate(wide);
    }
    load(wide, in.source2());
    load(wide, in.source3());
    if (name.startsWith("FMSUB") || name.startsWith("FNMADD")) {
      negate(wide);
    }
    rounded(in, "fma" + suffix, type, STATUS, type, type, type);
    store(wide, in.destination());
  }

  private void negate(boolean wide) {
    if (wide) {
      code.dneg();
    } else {
      code.fneg();
    }
  }

  private void moves(Instruction in, boolean wide, ClassDesc type, String suffix) {
    switch (in.op()) {
      case FSGNJ_S, FSGNJ_D, FSGNJN_S, FSGNJN_D, FSGNJX_S, FSGNJX_D -> sign(in, wide, type, suffix);
      case FMV_X_D -> {
        plan.loadBits(code, in.source1());
        storeInteger(in.rd());
      }
      case FMV_X_W -> {
        plan.loadBits(code, in.source1());
        code.l2i().i2l();
        storeInteger(in.rd());
      }
      case FMV_D_X -> {
        loadInteger(in.rs1());
        plan.storeBits(code, in.destination());
      }
      case FMV_W_X -> {
        loadInteger(in.rs1());
        code.l2i()
            .invokestatic(
                RegionCompiler.desc(Float.class),
                "intBitsToFloat",
                MethodTypeDesc.of(CD_float, CD_int));
        store(false, in.destination());
      }
      default -> convert(in, wide, type, suffix);
    }
  }

  private void sign(Instruction in, boolean wide, ClassDesc type, String suffix) {
    String name = in.op().name();
    boolean same = in.rs1() == in.rs2();
    load(wide, in.source1());
    if (same && name.startsWith("FSGNJN")) {
      negate(wide);
    } else if (same && name.startsWith("FSGNJX")) {
      code.invokestatic(RegionCompiler.desc(Math.class), "abs", MethodTypeDesc.of(type, type));
    } else if (!same) {
      load(wide, in.source2());
      code.invokestatic(
          RegionCompiler.desc(FloatSigns.class),
          lower(name, 1) + suffix,
          MethodTypeDesc.of(type, type, type));
    }
    store(wide, in.destination());
  }

  /// `fcvt` to and from integers.
  private void convert(Instruction in, boolean wide, ClassDesc type, String suffix) {
    String[] parts = in.op().name().split("_");
    boolean toInteger = in.op().file(0) == 'x';
    String integer = parts[toInteger ? 1 : 2];
    String method =
        (toInteger ? "to" : "from")
            + integer.charAt(0)
            + integer.substring(1).toLowerCase(Locale.ROOT)
            + suffix;
    status();
    if (toInteger) {
      load(wide, in.source1());
      mode(in);
      call(method, CD_long, STATUS, type, CD_int);
      storeInteger(in.rd());
    } else {
      loadInteger(in.rs1());
      mode(in);
      call(method, type, STATUS, CD_long, CD_int);
      store(wide, in.destination());
    }
  }

  /// The middle of an operation's name in lower case, such as `add` of `FADD_D`.
  private static String lower(String name, int from) {
    return name.substring(from, name.indexOf('_')).toLowerCase(Locale.ROOT);
  }

  private void status() {
    code.aload(RegionCompiler.STATUS_SLOT);
  }

  private void mode(Instruction in) {
    code.loadConstant(in.roundingMode());
  }

  /// A rounded operation on floats; in code for a settled status the host's arithmetic is enough.
  private void rounded(Instruction in, String name, ClassDesc result, ClassDesc... parameters) {
    int mode = in.roundingMode();
    if (plan.isSettled() && (mode == DYNAMIC || mode == NEAREST_EVEN)) {
      code.invokestatic(SETTLED_FLOATS, name, MethodTypeDesc.of(result, parameters));
      return;
    }
    List<ClassDesc> list = new ArrayList<>(List.of(parameters));
    list.add(CD_int);
    mode(in);
    code.invokestatic(owner(name), name, MethodTypeDesc.of(result, list));
  }

  /// The class of an operation, told by the precision at the end of its name.
  private static ClassDesc owner(String name) {
    return switch (name.charAt(name.length() - 1)) {
      case 'D' -> DOUBLE_OPS;
      case 'S' -> SINGLE_OPS;
      default -> RegionCompiler.FLOAT_OPS;
    };
  }

  private void call(String name, ClassDesc result, ClassDesc... parameters) {
    List<ClassDesc> list = new ArrayList<>(List.of(parameters));
    code.invokestatic(owner(name), name, MethodTypeDesc.of(result, list));
  }
}
