package io.spillway.simulator.isa;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Decodes RV64GC words, compressed ones included.
public final class Decoder {
  // [32] operations of each major opcode, those with more fixed bits first
  private static final Op[][] BY_MAJOR = byMajor();

  private Decoder() {}

  private static Op[][] byMajor() {
    List<List<Op>> lists = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      lists.add(new ArrayList<>());
    }
    for (Op op : Op.values()) {
      lists.get(op.match() >>> 2 & 31).add(op);
    }
    Op[][] table = new Op[32][];
    for (int i = 0; i < 32; i++) {
      List<Op> ops = lists.get(i);
      ops.sort((a, b) -> Integer.bitCount(b.mask()) - Integer.bitCount(a.mask()));
      table[i] = ops.toArray(new Op[0]);
    }
    return table;
  }

  /// How many bytes the instruction takes whose first 16 bits are given: 2 or 4.
  public static int length(int firstHalf) {
    return (firstHalf & 3) == 3 ? 4 : 2;
  }

  /// Decodes an instruction.
  ///
  /// @param word 32 bits from memory; only the lower 16 count if they hold a compressed one
  /// @return null if the word is no instruction of this set
  public static @Nullable Instruction decode(int word) {
    if ((word & 3) != 3) {
      int half = word & 0xffff;
      int expanded = Compressed.expand(half);
      return expanded == 0 ? null : decode(expanded, 2, half);
    }
    return decode(word, 4, word);
  }

  private static @Nullable Instruction decode(int word, int length, int original) {
    for (Op op : BY_MAJOR[word >>> 2 & 31]) {
      if ((word & op.mask()) == op.match()) {
        boolean badMode = op.isRounded() && (word >>> 12 & 7) >= 5 && (word >>> 12 & 7) != 7;
        boolean badReserve = (op == Op.LR_W || op == Op.LR_D) && (word >>> 20 & 31) != 0;
        return badMode || badReserve ? null : new Instruction(op, word, length, original);
      }
    }
    return null;
  }

  /// The 32-bit word of an operation; fields that it does not have are ignored.
  public static int encode(Op op, int rd, int rs1, int rs2, int rs3, long imm, int roundingMode) {
    int word = op.match() | op.immediate().insert(imm);
    boolean immediateRs1 =
        op == Op.CSRRWI || op == Op.CSRRSI || op == Op.CSRRCI || op.file(1) != '-';
    if (op.file(0) != '-') {
      word |= rd << 7;
    }
    if (immediateRs1) {
      word |= rs1 << 15;
    }
    if (op.file(2) != '-') {
      word |= rs2 << 20;
    }
    if (op.file(3) != '-') {
      word |= rs3 << 27;
    }
    if (op.isRounded()) {
      word |= roundingMode << 12;
    }
    return word;
  }
}
