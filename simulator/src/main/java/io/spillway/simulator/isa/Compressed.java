package io.spillway.simulator.isa;

/// Expands the 16-bit instructions of the C extension into their 32-bit equivalents.
///
/// **Source:** The RISC-V Instruction Set Manual, Volume I, "C" chapter, RV64C listing.
final class Compressed {
  private static final int SP = 2;

  private Compressed() {}

  private static int bits(int half, int high, int low) {
    return half >>> low & (1 << high - low + 1) - 1;
  }

  private static int immediate(Op op, int rd, int rs1, long imm) {
    return Decoder.encode(op, rd, rs1, 0, 0, imm, 0);
  }

  private static int store(Op op, int rs1, int rs2, long imm) {
    return Decoder.encode(op, 0, rs1, rs2, 0, imm, 0);
  }

  private static int register(Op op, int rd, int rs1, int rs2) {
    return Decoder.encode(op, rd, rs1, rs2, 0, 0, 0);
  }

  /// The 32-bit word, or 0 if the 16 bits are illegal or reserved.
  static int expand(int half) {
    return switch (half & 3) {
      case 0 -> quadrant0(half);
      case 1 -> quadrant1(half);
      default -> quadrant2(half);
    };
  }

  private static int quadrant0(int h) {
    int low = 8 + bits(h, 4, 2);
    int base = 8 + bits(h, 9, 7);
    int word = bits(h, 12, 10) << 3 | bits(h, 6, 6) << 2 | bits(h, 5, 5) << 6;
    int twice = bits(h, 12, 10) << 3 | bits(h, 6, 5) << 6;
    return switch (h >>> 13) {
      case 0 -> {
        int imm =
            bits(h, 12, 11) << 4 | bits(h, 10, 7) << 6 | bits(h, 6, 6) << 2 | bits(h, 5, 5) << 3;
        yield imm == 0 ? 0 : immediate(Op.ADDI, low, SP, imm);
      }
      case 1 -> immediate(Op.FLD, low, base, twice);
      case 2 -> immediate(Op.LW, low, base, word);
      case 3 -> immediate(Op.LD, low, base, twice);
      case 5 -> store(Op.FSD, base, low, twice);
      case 6 -> store(Op.SW, base, low, word);
      case 7 -> store(Op.SD, base, low, twice);
      default -> 0;
    };
  }

  private static int quadrant1(int h) {
    int rd = bits(h, 11, 7);
    int imm6 = bits(h, 12, 12) << 31 >> 26 | bits(h, 6, 2);
    return switch (h >>> 13) {
      case 0 -> immediate(Op.ADDI, rd, rd, imm6);
      case 1 -> rd == 0 ? 0 : immediate(Op.ADDIW, rd, rd, imm6);
      case 2 -> immediate(Op.ADDI, rd, 0, imm6);
      case 3 -> rd == SP ? adjustStack(h) : imm6 == 0 ? 0 : immediate(Op.LUI, rd, 0, imm6 << 12);
      case 4 -> arithmetic(h, imm6);
      case 5 -> immediate(Op.JAL, 0, 0, jumpOffset(h));
      case 6 -> store(Op.BEQ, 8 + bits(h, 9, 7), 0, branchOffset(h));
      default -> store(Op.BNE, 8 + bits(h, 9, 7), 0, branchOffset(h));
    };
  }

  private static int adjustStack(int h) {
    int imm =
        bits(h, 12, 12) << 31 >> 22
            | bits(h, 6, 6) << 4
            | bits(h, 5, 5) << 6
            | bits(h, 4, 3) << 7
            | bits(h, 2, 2) << 5;
    return imm == 0 ? 0 : immediate(Op.ADDI, SP, SP, imm);
  }

  private static int arithmetic(int h, int imm6) {
    int rd = 8 + bits(h, 9, 7);
    int rs2 = 8 + bits(h, 4, 2);
    int wide = bits(h, 12, 12);
    return switch (bits(h, 11, 10)) {
      case 0 -> immediate(Op.SRLI, rd, rd, imm6 & 63);
      case 1 -> immediate(Op.SRAI, rd, rd, imm6 & 63);
      case 2 -> immediate(Op.ANDI, rd, rd, imm6);
      default ->
          switch (wide << 2 | bits(h, 6, 5)) {
            case 0 -> register(Op.SUB, rd, rd, rs2);
            case 1 -> register(Op.XOR, rd, rd, rs2);
            case 2 -> register(Op.OR, rd, rd, rs2);
            case 3 -> register(Op.AND, rd, rd, rs2);
            case 4 -> register(Op.SUBW, rd, rd, rs2);
            case 5 -> register(Op.ADDW, rd, rd, rs2);
            default -> 0;
          };
    };
  }

  private static int jumpOffset(int h) {
    return bits(h, 12, 12) << 31 >> 20
        | bits(h, 11, 11) << 4
        | bits(h, 10, 9) << 8
        | bits(h, 8, 8) << 10
        | bits(h, 7, 7) << 6
        | bits(h, 6, 6) << 7
        | bits(h, 5, 3) << 1
        | bits(h, 2, 2) << 5;
  }

  private static int branchOffset(int h) {
    return bits(h, 12, 12) << 31 >> 23
        | bits(h, 11, 10) << 3
        | bits(h, 6, 5) << 6
        | bits(h, 4, 3) << 1
        | bits(h, 2, 2) << 5;
  }

  private static int quadrant2(int h) {
    int rd = bits(h, 11, 7);
    int rs2 = bits(h, 6, 2);
    int shift = bits(h, 12, 12) << 5 | rs2;
    int loadWord = bits(h, 12, 12) << 5 | bits(h, 6, 4) << 2 | bits(h, 3, 2) << 6;
    int loadTwice = bits(h, 12, 12) << 5 | bits(h, 6, 5) << 3 | bits(h, 4, 2) << 6;
    int storeTwice = bits(h, 12, 10) << 3 | bits(h, 9, 7) << 6;
    int storeWord = bits(h, 12, 9) << 2 | bits(h, 8, 7) << 6;
    return switch (h >>> 13) {
      case 0 -> immediate(Op.SLLI, rd, rd, shift);
      case 1 -> immediate(Op.FLD, rd, SP, loadTwice);
      case 2 -> rd == 0 ? 0 : immediate(Op.LW, rd, SP, loadWord);
      case 3 -> rd == 0 ? 0 : immediate(Op.LD, rd, SP, loadTwice);
      case 4 -> jumpOrMove(bits(h, 12, 12), rd, rs2);
      case 5 -> store(Op.FSD, SP, rs2, storeTwice);
      case 6 -> store(Op.SW, SP, rs2, storeWord);
      default -> store(Op.SD, SP, rs2, storeTwice);
    };
  }

  private static int jumpOrMove(int link, int rd, int rs2) {
    if (rs2 != 0) {
      return register(Op.ADD, rd, link == 0 ? 0 : rd, rs2);
    }
    if (rd == 0) {
      return link == 0 ? 0 : Op.EBREAK.match();
    }
    return immediate(Op.JALR, link, rd, 0);
  }
}
