package io.spillway.simulator.isa;

/// The fixed bits of an operation's 32-bit word: a mask in the upper half of a long and the value
/// under it in the lower half.
///
/// **Source:** The RISC-V Instruction Set Manual, Volume I, instruction set listings.
final class Encoding {
  static final int LOAD = 0x03;
  static final int LOAD_FP = 0x07;
  static final int MISC_MEM = 0x0f;
  static final int OP_IMM = 0x13;
  static final int OP_IMM_32 = 0x1b;
  static final int STORE = 0x23;
  static final int STORE_FP = 0x27;
  static final int AMO = 0x2f;
  static final int OP = 0x33;
  static final int OP_32 = 0x3b;
  static final int OP_FP = 0x53;
  static final int BRANCH = 0x63;
  static final int SYSTEM = 0x73;

  private Encoding() {}

  private static long of(int mask, int match) {
    return (long) mask << 32 | match & 0xffffffffL;
  }

  /// Only the major opcode is fixed.
  static long major(int opcode) {
    return of(0x7f, opcode);
  }

  static long funct3(int opcode, int funct3) {
    return of(0x707f, opcode | funct3 << 12);
  }

  static long funct7(int opcode, int funct3, int funct7) {
    return of(0xfe00707f, opcode | funct3 << 12 | funct7 << 25);
  }

  /// A shift by a six-bit immediate: six fixed bits on top.
  static long shift6(int opcode, int funct3, int top6) {
    return of(0xfc00707f, opcode | funct3 << 12 | top6 << 26);
  }

  /// An operation of one source whose rs2 field is fixed too.
  static long unary(int opcode, int funct3, int top12) {
    return of(0xfff0707f, opcode | funct3 << 12 | top12 << 20);
  }

  /// A float operation with a rounding mode.
  static long rounded(int funct7) {
    return of(0xfe00007f, OP_FP | funct7 << 25);
  }

  /// A float operation of one source with a rounding mode.
  static long roundedUnary(int funct7, int rs2) {
    return of(0xfff0007f, OP_FP | funct7 << 25 | rs2 << 20);
  }

  /// A fused multiply-add; format 0 is single, 1 double.
  static long fused(int opcode, int format) {
    return of(0x0600007f, opcode | format << 25);
  }

  static long atomic(int funct5, int funct3) {
    return of(0xf800707f, AMO | funct3 << 12 | funct5 << 27);
  }

  static long exact(int word) {
    return of(-1, word);
  }
}
