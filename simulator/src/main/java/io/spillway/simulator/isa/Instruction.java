package io.spillway.simulator.isa;

/// One decoded instruction with every fact that does not depend on the machine's state.
///
/// Registers are counted twice: `rd`, `rs1`, `rs2`, `rs3` are the fields of the word; `destination`
/// and the sources number both files together, 0 to 31 for integer and 32 to 63 for float
/// registers, and are [#NONE] where the operand is absent or is x0.
public final class Instruction {
  /// No register, or x0.
  public static final int NONE = -1;

  private final Op op;
  private final OpClass opClass;
  private final int rd;
  private final int rs1;
  private final int rs2;
  private final int rs3;
  private final long imm;
  private final int length;
  private final int word;
  private final int roundingMode;
  private final int destination;
  private final int source1;
  private final int source2;
  private final int source3;
  private final boolean isCall;
  private final boolean isReturn;

  /// @param op what it does
  /// @param word the expanded 32-bit word
  /// @param length bytes in memory, 2 or 4
  /// @param original the word as it stands in memory, for reports
  Instruction(Op op, int word, int length, int original) {
    this.op = op;
    this.opClass = op.opClass();
    this.rd = word >>> 7 & 31;
    this.rs1 = word >>> 15 & 31;
    this.rs2 = word >>> 20 & 31;
    this.rs3 = word >>> 27;
    this.imm = op.immediate().extract(word);
    this.length = length;
    this.word = original;
    this.roundingMode = word >>> 12 & 7;
    this.destination = register(op.file(0), rd);
    this.source1 = register(op.file(1), rs1);
    this.source2 = register(op.file(2), rs2);
    this.source3 = register(op.file(3), rs3);
    boolean links = rd == 1 || rd == 5;
    boolean fromLink = rs1 == 1 || rs1 == 5;
    this.isCall = links && (op == Op.JAL || op == Op.JALR);
    this.isReturn = op == Op.JALR && fromLink && (!links || rs1 != rd);
  }

  private static int register(char file, int number) {
    return switch (file) {
      case 'x' -> number == 0 ? NONE : number;
      case 'f' -> 32 + number;
      default -> NONE;
    };
  }

  public Op op() {
    return op;
  }

  public OpClass opClass() {
    return opClass;
  }

  public int rd() {
    return rd;
  }

  public int rs1() {
    return rs1;
  }

  public int rs2() {
    return rs2;
  }

  public int rs3() {
    return rs3;
  }

  /// The immediate: offset, shift amount, upper part or the number of a control register.
  public long imm() {
    return imm;
  }

  /// Bytes in memory: 2 if it was compressed, else 4.
  public int length() {
    return length;
  }

  /// The word as it stands in memory; 16 bits if it was compressed.
  public int word() {
    return word;
  }

  /// The rounding mode field; 7 means the dynamic mode of `fcsr`.
  public int roundingMode() {
    return roundingMode;
  }

  /// The register written: 1 to 31 integer, 32 to 63 float, or [#NONE].
  public int destination() {
    return destination;
  }

  /// The register of rs1 in the joint numbering, or [#NONE].
  public int source1() {
    return source1;
  }

  /// The register of rs2 in the joint numbering, or [#NONE].
  public int source2() {
    return source2;
  }

  /// The register of rs3 in the joint numbering, or [#NONE].
  public int source3() {
    return source3;
  }

  /// Whether a return address stack should push: a jump that links to x1 or x5.
  public boolean isCall() {
    return isCall;
  }

  /// Whether a return address stack should pop: an indirect jump through x1 or x5 that does not
  /// link to the same register.
  public boolean isReturn() {
    return isReturn;
  }

  /// Whether it may change the flow of control.
  public boolean isControl() {
    return opClass.isControl();
  }

  public boolean isConditionalBranch() {
    return opClass == OpClass.BRANCH;
  }

  public boolean isLoad() {
    return opClass == OpClass.LOAD;
  }

  public boolean isStore() {
    return opClass == OpClass.STORE;
  }

  public boolean isAtomic() {
    return opClass == OpClass.ATOMIC;
  }

  /// Whether it accesses data memory.
  public boolean isMemory() {
    return opClass.isMemory();
  }

  /// Bytes of memory accessed; 0 if none.
  public int accessBytes() {
    return op.accessBytes();
  }

  @Override
  public String toString() {
    return Disassembler.text(this);
  }
}
