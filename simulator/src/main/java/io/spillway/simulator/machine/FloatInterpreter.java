package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Instruction;

/// The F and D extensions, for the interpreter.
final class FloatInterpreter {
  private final Machine machine;

  FloatInterpreter(Machine machine) {
    this.machine = machine;
  }

  private static double d(long bits) {
    return Double.longBitsToDouble(bits);
  }

  private static long bits(double value) {
    return Double.doubleToRawLongBits(value);
  }

  private static float s(long bits) {
    return Float.intBitsToFloat(FloatOps.unbox(bits));
  }

  private static long bits(float value) {
    return FloatOps.box(Float.floatToRawIntBits(value));
  }

  private static boolean isDouble(Instruction in) {
    return (in.op().match() >>> 25 & 1) == 1;
  }

  void execute(Hart hart, Instruction in, long pc) {
    int mode = in.roundingMode();
    if (mode == 7 && hart.floatStatus.mode() > 4 && in.op().isRounded()) {
      throw machine.unknownInstruction(hart, pc);
    }
    if (in.op().file(0) == 'x') {
      hart.x[in.rd()] = toInteger(hart, in, mode);
    } else if (in.op().file(1) == 'x') {
      hart.f[in.rd()] = fromInteger(hart, in, mode);
    } else {
      hart.f[in.rd()] = isDouble(in) ? inDouble(hart, in, mode) : inSingle(hart, in, mode);
    }
  }

  private static long inDouble(Hart hart, Instruction in, int mode) {
    FloatStatus status = hart.floatStatus;
    long rawA = hart.f[in.rs1()];
    long rawB = hart.f[in.rs2()];
    double a = d(rawA);
    double b = d(rawB);
    return switch (in.op()) {
      case FADD_D -> bits(DoubleOps.addD(status, a, b, mode));
      case FSUB_D -> bits(DoubleOps.subD(status, a, b, mode));
      case FMUL_D -> bits(DoubleOps.mulD(status, a, b, mode));
      case FDIV_D -> bits(DoubleOps.divD(status, a, b, mode));
      case FSQRT_D -> bits(DoubleOps.sqrtD(status, a, mode));
      case FMADD_D -> bits(DoubleOps.fmaD(status, a, b, d(hart.f[in.rs3()]), mode));
      case FMSUB_D -> bits(DoubleOps.fmaD(status, a, b, -d(hart.f[in.rs3()]), mode));
      case FNMSUB_D -> bits(DoubleOps.fmaD(status, -a, b, d(hart.f[in.rs3()]), mode));
      case FNMADD_D -> bits(DoubleOps.fmaD(status, -a, b, -d(hart.f[in.rs3()]), mode));
      case FMIN_D -> bits(DoubleOps.minD(status, a, b));
      case FMAX_D -> bits(DoubleOps.maxD(status, a, b));
      case FSGNJ_D -> rawA & Long.MAX_VALUE | rawB & Long.MIN_VALUE;
      case FSGNJN_D -> rawA & Long.MAX_VALUE | ~rawB & Long.MIN_VALUE;
      case FSGNJX_D -> rawA ^ rawB & Long.MIN_VALUE;
      case FCVT_D_S -> bits(FloatOps.widen(status, s(rawA)));
      default -> throw unexpected(in);
    };
  }

  private static long inSingle(Hart hart, Instruction in, int mode) {
    FloatStatus status = hart.floatStatus;
    long rawA = hart.f[in.rs1()];
    long rawB = hart.f[in.rs2()];
    float a = s(rawA);
    float b = s(rawB);
    return switch (in.op()) {
      case FADD_S -> bits(SingleOps.addS(status, a, b, mode));
      case FSUB_S -> bits(SingleOps.subS(status, a, b, mode));
      case FMUL_S -> bits(SingleOps.mulS(status, a, b, mode));
      case FDIV_S -> bits(SingleOps.divS(status, a, b, mode));
      case FSQRT_S -> bits(SingleOps.sqrtS(status, a, mode));
      case FMADD_S -> bits(SingleOps.fmaS(status, a, b, s(hart.f[in.rs3()]), mode));
      case FMSUB_S -> bits(SingleOps.fmaS(status, a, b, -s(hart.f[in.rs3()]), mode));
      case FNMSUB_S -> bits(SingleOps.fmaS(status, -a, b, s(hart.f[in.rs3()]), mode));
      case FNMADD_S -> bits(SingleOps.fmaS(status, -a, b, -s(hart.f[in.rs3()]), mode));
      case FMIN_S -> bits(SingleOps.minS(status, a, b));
      case FMAX_S -> bits(SingleOps.maxS(status, a, b));
      case FSGNJ_S -> sign(rawA, FloatOps.unbox(rawB));
      case FSGNJN_S -> sign(rawA, ~FloatOps.unbox(rawB));
      case FSGNJX_S -> sign(rawA, FloatOps.unbox(rawA) ^ FloatOps.unbox(rawB));
      case FCVT_S_D -> bits(FloatOps.narrow(status, d(rawA), mode));
      default -> throw unexpected(in);
    };
  }

  private static long sign(long raw, int sign) {
    return FloatOps.box(FloatOps.unbox(raw) & Integer.MAX_VALUE | sign & Integer.MIN_VALUE);
  }

  private static long toInteger(Hart hart, Instruction in, int mode) {
    FloatStatus status = hart.floatStatus;
    long rawA = hart.f[in.rs1()];
    long rawB = hart.f[in.rs2()];
    return switch (in.op()) {
      case FEQ_D -> DoubleOps.eqD(status, d(rawA), d(rawB));
      case FLT_D -> DoubleOps.ltD(status, d(rawA), d(rawB));
      case FLE_D -> DoubleOps.leD(status, d(rawA), d(rawB));
      case FCLASS_D -> DoubleOps.classD(d(rawA));
      case FCVT_W_D -> DoubleOps.toWD(status, d(rawA), mode);
      case FCVT_WU_D -> DoubleOps.toWuD(status, d(rawA), mode);
      case FCVT_L_D -> DoubleOps.toLD(status, d(rawA), mode);
      case FCVT_LU_D -> DoubleOps.toLuD(status, d(rawA), mode);
      case FEQ_S -> SingleOps.eqS(status, s(rawA), s(rawB));
      case FLT_S -> SingleOps.ltS(status, s(rawA), s(rawB));
      case FLE_S -> SingleOps.leS(status, s(rawA), s(rawB));
      case FCLASS_S -> SingleOps.classS(s(rawA));
      case FCVT_W_S -> SingleOps.toWS(status, s(rawA), mode);
      case FCVT_WU_S -> SingleOps.toWuS(status, s(rawA), mode);
      case FCVT_L_S -> SingleOps.toLS(status, s(rawA), mode);
      case FCVT_LU_S -> SingleOps.toLuS(status, s(rawA), mode);
      case FMV_X_D -> rawA;
      case FMV_X_W -> (int) rawA;
      default -> throw unexpected(in);
    };
  }

  private static long fromInteger(Hart hart, Instruction in, int mode) {
    FloatStatus status = hart.floatStatus;
    long a = hart.x[in.rs1()];
    return switch (in.op()) {
      case FCVT_D_W -> bits(DoubleOps.fromWD(status, a, mode));
      case FCVT_D_WU -> bits(DoubleOps.fromWuD(status, a, mode));
      case FCVT_D_L -> bits(DoubleOps.fromLD(status, a, mode));
      case FCVT_D_LU -> bits(DoubleOps.fromLuD(status, a, mode));
      case FCVT_S_W -> bits(SingleOps.fromWS(status, a, mode));
      case FCVT_S_WU -> bits(SingleOps.fromWuS(status, a, mode));
      case FCVT_S_L -> bits(SingleOps.fromLS(status, a, mode));
      case FCVT_S_LU -> bits(SingleOps.fromLuS(status, a, mode));
      case FMV_D_X -> a;
      case FMV_W_X -> FloatOps.box((int) a);
      default -> throw unexpected(in);
    };
  }

  private static IllegalStateException unexpected(Instruction in) {
    return new IllegalStateException("operation of another class: " + in.op());
  }
}
