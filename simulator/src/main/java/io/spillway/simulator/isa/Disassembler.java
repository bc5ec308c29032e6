package io.spillway.simulator.isa;

/// Prints instructions in assembler syntax.
public final class Disassembler {
  private static final String[] ROUNDING = {"rne", "rtz", "rdn", "rup", "rmm", "?", "?", "dyn"};

  private Disassembler() {}

  /// The instruction without knowledge of its address: jump targets are relative, `.+8`.
  public static String text(Instruction in) {
    return text(in, relative(in.imm()));
  }

  /// The instruction at `pc`: jump targets are absolute.
  public static String text(Instruction in, long pc) {
    return text(in, "0x" + Long.toHexString(pc + in.imm()));
  }

  private static String relative(long offset) {
    return offset < 0 ? ".-" + -offset : ".+" + offset;
  }

  private static String text(Instruction in, String target) {
    Op op = in.op();
    String name = op.mnemonic();
    String operands =
        switch (op.opClass()) {
          case LOAD -> operand(in, 0) + "," + in.imm() + "(" + operand(in, 1) + ")";
          case STORE -> operand(in, 2) + "," + in.imm() + "(" + operand(in, 1) + ")";
          case ATOMIC ->
              op.file(2) == '-'
                  ? operand(in, 0) + ",(" + operand(in, 1) + ")"
                  : operand(in, 0) + "," + operand(in, 2) + ",(" + operand(in, 1) + ")";
          case BRANCH -> operand(in, 1) + "," + operand(in, 2) + "," + target;
          case JUMP -> operand(in, 0) + "," + target;
          case INDIRECT_JUMP -> operand(in, 0) + "," + in.imm() + "(" + operand(in, 1) + ")";
          case SYSTEM -> system(in);
          case FENCE -> "";
          default -> plain(in);
        };
    return operands.isEmpty() ? name : name + " " + operands;
  }

  private static String system(Instruction in) {
    if (in.op().immediate() != Immediate.CSR) {
      return "";
    }
    String csr =
        switch ((int) in.imm()) {
          case 1 -> "fflags";
          case 2 -> "frm";
          case 3 -> "fcsr";
          case 0xc00 -> "cycle";
          case 0xc01 -> "time";
          case 0xc02 -> "instret";
          default -> "0x" + Long.toHexString(in.imm());
        };
    String source = in.op().file(1) == 'x' ? operand(in, 1) : Integer.toString(in.rs1());
    return operand(in, 0) + "," + csr + "," + source;
  }

  private static String plain(Instruction in) {
    Op op = in.op();
    StringBuilder out = new StringBuilder(operand(in, 0));
    for (int i = 1; i <= 3 && op.file(i) != '-'; i++) {
      out.append(',').append(operand(in, i));
    }
    if (op.immediate() == Immediate.U) {
      out.append(",0x").append(Long.toHexString(in.imm() >>> 12 & 0xfffff));
    } else if (op.immediate() != Immediate.NONE) {
      out.append(',').append(in.imm());
    }
    if (op.isRounded() && in.roundingMode() != 7) {
      out.append(',').append(ROUNDING[in.roundingMode()]);
    }
    return out.toString();
  }

  private static String operand(Instruction in, int position) {
    int number =
        switch (position) {
          case 0 -> in.rd();
          case 1 -> in.rs1();
          case 2 -> in.rs2();
          default -> in.rs3();
        };
    return in.op().file(position) == 'f' ? Registers.floating(number) : Registers.integer(number);
  }
}
