package io.spillway.simulator.isa;

/// Every operation of RV64GC (IMAFDC, Zicsr, Zifencei) with Zba, Zbb and Zbs, with its static
/// facts.
///
/// The signature names the register files of destination, rs1, rs2 and rs3 in that order: `x`
/// integer, `f` float, `-` none.
///
/// **Source:** The RISC-V Instruction Set Manual, Volume I (unprivileged architecture).
public enum Op {
  LUI("lui", OpClass.INTEGER_ALU, "x", Immediate.U, 0, Encoding.major(0x37)),
  AUIPC("auipc", OpClass.INTEGER_ALU, "x", Immediate.U, 0, Encoding.major(0x17)),
  JAL("jal", OpClass.JUMP, "x", Immediate.J, 0, Encoding.major(0x6f)),
  JALR("jalr", OpClass.INDIRECT_JUMP, "xx", Immediate.I, 0, Encoding.funct3(0x67, 0)),
  BEQ("beq", OpClass.BRANCH, "-xx", Immediate.B, 0, Encoding.funct3(Encoding.BRANCH, 0)),
  BNE("bne", OpClass.BRANCH, "-xx", Immediate.B, 0, Encoding.funct3(Encoding.BRANCH, 1)),
  BLT("blt", OpClass.BRANCH, "-xx", Immediate.B, 0, Encoding.funct3(Encoding.BRANCH, 4)),
  BGE("bge", OpClass.BRANCH, "-xx", Immediate.B, 0, Encoding.funct3(Encoding.BRANCH, 5)),
  BLTU("bltu", OpClass.BRANCH, "-xx", Immediate.B, 0, Encoding.funct3(Encoding.BRANCH, 6)),
  BGEU("bgeu", OpClass.BRANCH, "-xx", Immediate.B, 0, Encoding.funct3(Encoding.BRANCH, 7)),
  LB("lb", OpClass.LOAD, "xx", Immediate.I, 1, Encoding.funct3(Encoding.LOAD, 0)),
  LH("lh", OpClass.LOAD, "xx", Immediate.I, 2, Encoding.funct3(Encoding.LOAD, 1)),
  LW("lw", OpClass.LOAD, "xx", Immediate.I, 4, Encoding.funct3(Encoding.LOAD, 2)),
  LD("ld", OpClass.LOAD, "xx", Immediate.I, 8, Encoding.funct3(Encoding.LOAD, 3)),
  LBU("lbu", OpClass.LOAD, "xx", Immediate.I, 1, Encoding.funct3(Encoding.LOAD, 4)),
  LHU("lhu", OpClass.LOAD, "xx", Immediate.I, 2, Encoding.funct3(Encoding.LOAD, 5)),
  LWU("lwu", OpClass.LOAD, "xx", Immediate.I, 4, Encoding.funct3(Encoding.LOAD, 6)),
  SB("sb", OpClass.STORE, "-xx", Immediate.S, 1, Encoding.funct3(Encoding.STORE, 0)),
  SH("sh", OpClass.STORE, "-xx", Immediate.S, 2, Encoding.funct3(Encoding.STORE, 1)),
  SW("sw", OpClass.STORE, "-xx", Immediate.S, 4, Encoding.funct3(Encoding.STORE, 2)),
  SD("sd", OpClass.STORE, "-xx", Immediate.S, 8, Encoding.funct3(Encoding.STORE, 3)),
  ADDI("addi", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM, 0)),
  SLTI("slti", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM, 2)),
  SLTIU("sltiu", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM, 3)),
  XORI("xori", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM, 4)),
  ORI("ori", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM, 6)),
  ANDI("andi", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM, 7)),
  SLLI(
      "slli",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 1, 0)),
  SRLI(
      "srli",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 5, 0)),
  SRAI(
      "srai",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 5, 16)),
  ADD("add", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 0, 0)),
  SUB("sub", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 0, 32)),
  SLL("sll", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 1, 0)),
  SLT("slt", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 2, 0)),
  SLTU("sltu", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 3, 0)),
  XOR("xor", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 4, 0)),
  SRL("srl", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 5, 0)),
  SRA("sra", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 5, 32)),
  OR("or", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 6, 0)),
  AND("and", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 7, 0)),
  ADDIW("addiw", OpClass.INTEGER_ALU, "xx", Immediate.I, 0, Encoding.funct3(Encoding.OP_IMM_32, 0)),
  SLLIW(
      "slliw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT5,
      0,
      Encoding.funct7(Encoding.OP_IMM_32, 1, 0)),
  SRLIW(
      "srliw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT5,
      0,
      Encoding.funct7(Encoding.OP_IMM_32, 5, 0)),
  SRAIW(
      "sraiw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT5,
      0,
      Encoding.funct7(Encoding.OP_IMM_32, 5, 32)),
  ADDW(
      "addw", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP_32, 0, 0)),
  SUBW(
      "subw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 0, 32)),
  SLLW(
      "sllw", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP_32, 1, 0)),
  SRLW(
      "srlw", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP_32, 5, 0)),
  SRAW(
      "sraw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 5, 32)),
  FENCE("fence", OpClass.FENCE, "-", Immediate.NONE, 0, Encoding.funct3(Encoding.MISC_MEM, 0)),
  FENCE_I("fence.i", OpClass.FENCE, "-", Immediate.NONE, 0, Encoding.funct3(Encoding.MISC_MEM, 1)),
  ECALL("ecall", OpClass.SYSTEM, "-", Immediate.NONE, 0, Encoding.exact(0x73)),
  EBREAK("ebreak", OpClass.SYSTEM, "-", Immediate.NONE, 0, Encoding.exact(0x100073)),
  CSRRW("csrrw", OpClass.SYSTEM, "xx", Immediate.CSR, 0, Encoding.funct3(Encoding.SYSTEM, 1)),
  CSRRS("csrrs", OpClass.SYSTEM, "xx", Immediate.CSR, 0, Encoding.funct3(Encoding.SYSTEM, 2)),
  CSRRC("csrrc", OpClass.SYSTEM, "xx", Immediate.CSR, 0, Encoding.funct3(Encoding.SYSTEM, 3)),
  CSRRWI("csrrwi", OpClass.SYSTEM, "x", Immediate.CSR, 0, Encoding.funct3(Encoding.SYSTEM, 5)),
  CSRRSI("csrrsi", OpClass.SYSTEM, "x", Immediate.CSR, 0, Encoding.funct3(Encoding.SYSTEM, 6)),
  CSRRCI("csrrci", OpClass.SYSTEM, "x", Immediate.CSR, 0, Encoding.funct3(Encoding.SYSTEM, 7)),
  MUL(
      "mul",
      OpClass.INTEGER_MULTIPLY,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP, 0, 1)),
  MULH(
      "mulh",
      OpClass.INTEGER_MULTIPLY,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP, 1, 1)),
  MULHSU(
      "mulhsu",
      OpClass.INTEGER_MULTIPLY,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP, 2, 1)),
  MULHU(
      "mulhu",
      OpClass.INTEGER_MULTIPLY,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP, 3, 1)),
  DIV("div", OpClass.INTEGER_DIVIDE, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 4, 1)),
  DIVU(
      "divu", OpClass.INTEGER_DIVIDE, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 5, 1)),
  REM("rem", OpClass.INTEGER_DIVIDE, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 6, 1)),
  REMU(
      "remu", OpClass.INTEGER_DIVIDE, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 7, 1)),
  MULW(
      "mulw",
      OpClass.INTEGER_MULTIPLY,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 0, 1)),
  DIVW(
      "divw",
      OpClass.INTEGER_DIVIDE,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 4, 1)),
  DIVUW(
      "divuw",
      OpClass.INTEGER_DIVIDE,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 5, 1)),
  REMW(
      "remw",
      OpClass.INTEGER_DIVIDE,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 6, 1)),
  REMUW(
      "remuw",
      OpClass.INTEGER_DIVIDE,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 7, 1)),
  LR_W("lr.w", OpClass.ATOMIC, "xx", Immediate.NONE, 4, Encoding.atomic(2, 2)),
  SC_W("sc.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(3, 2)),
  AMOSWAP_W("amoswap.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(1, 2)),
  AMOADD_W("amoadd.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(0, 2)),
  AMOXOR_W("amoxor.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(4, 2)),
  AMOAND_W("amoand.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(12, 2)),
  AMOOR_W("amoor.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(8, 2)),
  AMOMIN_W("amomin.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(16, 2)),
  AMOMAX_W("amomax.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(20, 2)),
  AMOMINU_W("amominu.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(24, 2)),
  AMOMAXU_W("amomaxu.w", OpClass.ATOMIC, "xxx", Immediate.NONE, 4, Encoding.atomic(28, 2)),
  LR_D("lr.d", OpClass.ATOMIC, "xx", Immediate.NONE, 8, Encoding.atomic(2, 3)),
  SC_D("sc.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(3, 3)),
  AMOSWAP_D("amoswap.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(1, 3)),
  AMOADD_D("amoadd.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(0, 3)),
  AMOXOR_D("amoxor.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(4, 3)),
  AMOAND_D("amoand.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(12, 3)),
  AMOOR_D("amoor.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(8, 3)),
  AMOMIN_D("amomin.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(16, 3)),
  AMOMAX_D("amomax.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(20, 3)),
  AMOMINU_D("amominu.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(24, 3)),
  AMOMAXU_D("amomaxu.d", OpClass.ATOMIC, "xxx", Immediate.NONE, 8, Encoding.atomic(28, 3)),
  FLW("flw", OpClass.LOAD, "fx", Immediate.I, 4, Encoding.funct3(Encoding.LOAD_FP, 2)),
  FLD("fld", OpClass.LOAD, "fx", Immediate.I, 8, Encoding.funct3(Encoding.LOAD_FP, 3)),
  FSW("fsw", OpClass.STORE, "-xf", Immediate.S, 4, Encoding.funct3(Encoding.STORE_FP, 2)),
  FSD("fsd", OpClass.STORE, "-xf", Immediate.S, 8, Encoding.funct3(Encoding.STORE_FP, 3)),
  FMADD_S("fmadd.s", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x43, 0)),
  FMSUB_S("fmsub.s", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x47, 0)),
  FNMSUB_S("fnmsub.s", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x4b, 0)),
  FNMADD_S("fnmadd.s", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x4f, 0)),
  FADD_S("fadd.s", OpClass.FLOAT_ADD, "fff", Immediate.NONE, 0, Encoding.rounded(0)),
  FSUB_S("fsub.s", OpClass.FLOAT_ADD, "fff", Immediate.NONE, 0, Encoding.rounded(4)),
  FMUL_S("fmul.s", OpClass.FLOAT_MULTIPLY, "fff", Immediate.NONE, 0, Encoding.rounded(8)),
  FDIV_S("fdiv.s", OpClass.FLOAT_DIVIDE, "fff", Immediate.NONE, 0, Encoding.rounded(12)),
  FSQRT_S("fsqrt.s", OpClass.FLOAT_SQRT, "ff", Immediate.NONE, 0, Encoding.roundedUnary(44, 0)),
  FSGNJ_S(
      "fsgnj.s",
      OpClass.FLOAT_MISC,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 0, 16)),
  FSGNJN_S(
      "fsgnjn.s",
      OpClass.FLOAT_MISC,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 1, 16)),
  FSGNJX_S(
      "fsgnjx.s",
      OpClass.FLOAT_MISC,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 2, 16)),
  FMIN_S(
      "fmin.s",
      OpClass.FLOAT_COMPARE,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 0, 20)),
  FMAX_S(
      "fmax.s",
      OpClass.FLOAT_COMPARE,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 1, 20)),
  FLE_S(
      "fle.s",
      OpClass.FLOAT_COMPARE,
      "xff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 0, 80)),
  FLT_S(
      "flt.s",
      OpClass.FLOAT_COMPARE,
      "xff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 1, 80)),
  FEQ_S(
      "feq.s",
      OpClass.FLOAT_COMPARE,
      "xff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 2, 80)),
  FCVT_W_S(
      "fcvt.w.s", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(96, 0)),
  FCVT_S_W(
      "fcvt.s.w", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(104, 0)),
  FCVT_WU_S(
      "fcvt.wu.s", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(96, 1)),
  FCVT_S_WU(
      "fcvt.s.wu", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(104, 1)),
  FCVT_L_S(
      "fcvt.l.s", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(96, 2)),
  FCVT_S_L(
      "fcvt.s.l", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(104, 2)),
  FCVT_LU_S(
      "fcvt.lu.s", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(96, 3)),
  FCVT_S_LU(
      "fcvt.s.lu", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(104, 3)),
  FMV_X_W(
      "fmv.x.w",
      OpClass.FLOAT_CONVERT,
      "xf",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_FP, 0, 3584)),
  FCLASS_S(
      "fclass.s",
      OpClass.FLOAT_MISC,
      "xf",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_FP, 1, 3584)),
  FMV_W_X(
      "fmv.w.x",
      OpClass.FLOAT_CONVERT,
      "fx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_FP, 0, 3840)),
  FMADD_D("fmadd.d", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x43, 1)),
  FMSUB_D("fmsub.d", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x47, 1)),
  FNMSUB_D("fnmsub.d", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x4b, 1)),
  FNMADD_D("fnmadd.d", OpClass.FLOAT_FMA, "ffff", Immediate.NONE, 0, Encoding.fused(0x4f, 1)),
  FADD_D("fadd.d", OpClass.FLOAT_ADD, "fff", Immediate.NONE, 0, Encoding.rounded(1)),
  FSUB_D("fsub.d", OpClass.FLOAT_ADD, "fff", Immediate.NONE, 0, Encoding.rounded(5)),
  FMUL_D("fmul.d", OpClass.FLOAT_MULTIPLY, "fff", Immediate.NONE, 0, Encoding.rounded(9)),
  FDIV_D("fdiv.d", OpClass.FLOAT_DIVIDE, "fff", Immediate.NONE, 0, Encoding.rounded(13)),
  FSQRT_D("fsqrt.d", OpClass.FLOAT_SQRT, "ff", Immediate.NONE, 0, Encoding.roundedUnary(45, 0)),
  FSGNJ_D(
      "fsgnj.d",
      OpClass.FLOAT_MISC,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 0, 17)),
  FSGNJN_D(
      "fsgnjn.d",
      OpClass.FLOAT_MISC,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 1, 17)),
  FSGNJX_D(
      "fsgnjx.d",
      OpClass.FLOAT_MISC,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 2, 17)),
  FMIN_D(
      "fmin.d",
      OpClass.FLOAT_COMPARE,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 0, 21)),
  FMAX_D(
      "fmax.d",
      OpClass.FLOAT_COMPARE,
      "fff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 1, 21)),
  FLE_D(
      "fle.d",
      OpClass.FLOAT_COMPARE,
      "xff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 0, 81)),
  FLT_D(
      "flt.d",
      OpClass.FLOAT_COMPARE,
      "xff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 1, 81)),
  FEQ_D(
      "feq.d",
      OpClass.FLOAT_COMPARE,
      "xff",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_FP, 2, 81)),
  FCVT_W_D(
      "fcvt.w.d", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(97, 0)),
  FCVT_D_W(
      "fcvt.d.w", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(105, 0)),
  FCVT_WU_D(
      "fcvt.wu.d", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(97, 1)),
  FCVT_D_WU(
      "fcvt.d.wu", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(105, 1)),
  FCVT_L_D(
      "fcvt.l.d", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(97, 2)),
  FCVT_D_L(
      "fcvt.d.l", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(105, 2)),
  FCVT_LU_D(
      "fcvt.lu.d", OpClass.FLOAT_CONVERT, "xf", Immediate.NONE, 0, Encoding.roundedUnary(97, 3)),
  FCVT_D_LU(
      "fcvt.d.lu", OpClass.FLOAT_CONVERT, "fx", Immediate.NONE, 0, Encoding.roundedUnary(105, 3)),
  FMV_X_D(
      "fmv.x.d",
      OpClass.FLOAT_CONVERT,
      "xf",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_FP, 0, 3616)),
  FCLASS_D(
      "fclass.d",
      OpClass.FLOAT_MISC,
      "xf",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_FP, 1, 3616)),
  FMV_D_X(
      "fmv.d.x",
      OpClass.FLOAT_CONVERT,
      "fx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_FP, 0, 3872)),
  FCVT_S_D(
      "fcvt.s.d", OpClass.FLOAT_CONVERT, "ff", Immediate.NONE, 0, Encoding.roundedUnary(32, 1)),
  FCVT_D_S(
      "fcvt.d.s", OpClass.FLOAT_CONVERT, "ff", Immediate.NONE, 0, Encoding.roundedUnary(33, 0)),
  SH1ADD(
      "sh1add", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 2, 16)),
  SH1ADD_UW(
      "sh1add.uw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 2, 16)),
  SH2ADD(
      "sh2add", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 4, 16)),
  SH2ADD_UW(
      "sh2add.uw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 4, 16)),
  SH3ADD(
      "sh3add", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 6, 16)),
  SH3ADD_UW(
      "sh3add.uw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 6, 16)),
  ADD_UW(
      "add.uw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 0, 4)),
  SLLI_UW(
      "slli.uw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM_32, 1, 2)),
  ANDN("andn", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 7, 32)),
  ORN("orn", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 6, 32)),
  XNOR("xnor", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 4, 32)),
  CLZ(
      "clz",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 1, 0x600)),
  CLZW(
      "clzw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM_32, 1, 0x600)),
  CTZ(
      "ctz",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 1, 0x601)),
  CTZW(
      "ctzw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM_32, 1, 0x601)),
  CPOP(
      "cpop",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 1, 0x602)),
  CPOPW(
      "cpopw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM_32, 1, 0x602)),
  MIN("min", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 4, 5)),
  MINU("minu", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 5, 5)),
  MAX("max", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 6, 5)),
  MAXU("maxu", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 7, 5)),
  SEXT_B(
      "sext.b",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 1, 0x604)),
  SEXT_H(
      "sext.h",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 1, 0x605)),
  ZEXT_H(
      "zext.h",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_32, 4, 0x080)),
  ROL("rol", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 1, 48)),
  ROR("ror", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 5, 48)),
  ROLW(
      "rolw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 1, 48)),
  RORW(
      "rorw",
      OpClass.INTEGER_ALU,
      "xxx",
      Immediate.NONE,
      0,
      Encoding.funct7(Encoding.OP_32, 5, 48)),
  RORI(
      "rori",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 5, 24)),
  RORIW(
      "roriw",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT5,
      0,
      Encoding.funct7(Encoding.OP_IMM_32, 5, 48)),
  ORC_B(
      "orc.b",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 5, 0x287)),
  REV8(
      "rev8",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.NONE,
      0,
      Encoding.unary(Encoding.OP_IMM, 5, 0x6b8)),
  BCLR("bclr", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 1, 36)),
  BCLRI(
      "bclri",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 1, 18)),
  BEXT("bext", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 5, 36)),
  BEXTI(
      "bexti",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 5, 18)),
  BINV("binv", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 1, 52)),
  BINVI(
      "binvi",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 1, 26)),
  BSET("bset", OpClass.INTEGER_ALU, "xxx", Immediate.NONE, 0, Encoding.funct7(Encoding.OP, 1, 20)),
  BSETI(
      "bseti",
      OpClass.INTEGER_ALU,
      "xx",
      Immediate.SHIFT6,
      0,
      Encoding.shift6(Encoding.OP_IMM, 1, 10));

  private final String mnemonic;
  private final OpClass opClass;
  private final String signature;
  private final Immediate immediate;
  private final int accessBytes;
  private final int mask;
  private final int match;

  Op(
      String mnemonic,
      OpClass opClass,
      String signature,
      Immediate immediate,
      int accessBytes,
      long encoding) {
    this.mnemonic = mnemonic;
    this.opClass = opClass;
    this.signature = signature;
    this.immediate = immediate;
    this.accessBytes = accessBytes;
    this.mask = (int) (encoding >>> 32);
    this.match = (int) encoding;
  }

  /// The assembler's name.
  public String mnemonic() {
    return mnemonic;
  }

  /// The class of unit it needs.
  public OpClass opClass() {
    return opClass;
  }

  /// Where its immediate lies.
  public Immediate immediate() {
    return immediate;
  }

  /// How many bytes of memory it accesses; 0 if none.
  public int accessBytes() {
    return accessBytes;
  }

  /// The fixed bits of its word.
  public int mask() {
    return mask;
  }

  /// The values of the fixed bits.
  public int match() {
    return match;
  }

  /// The file of operand `position` (0 destination, 1 to 3 sources): `x`, `f` or `-`.
  public char file(int position) {
    return position < signature.length() ? signature.charAt(position) : '-';
  }

  /// Whether its word holds a rounding mode.
  public boolean isRounded() {
    return (mask & 0x7000) == 0 && (opClass.name().startsWith("FLOAT_"));
  }

  /// Whether it reads memory: loads, load-reserved and read-modify-write.
  public boolean readsMemory() {
    return opClass == OpClass.LOAD || opClass == OpClass.ATOMIC && this != SC_W && this != SC_D;
  }

  /// Whether it writes memory: stores, store-conditional and read-modify-write.
  public boolean writesMemory() {
    return opClass == OpClass.STORE || opClass == OpClass.ATOMIC && this != LR_W && this != LR_D;
  }
}
