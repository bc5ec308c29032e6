package io.spillway.simulator.isa;

/// Where an instruction word holds its immediate.
public enum Immediate {
  NONE,
  I,
  S,
  B,
  U,
  J,
  /// Six bits at 20.
  SHIFT6,
  /// Five bits at 20.
  SHIFT5,
  /// The number of a control register, twelve bits at 20.
  CSR;

  /// The immediate of `word`, sign-extended where the format is signed.
  public long extract(int word) {
    return switch (this) {
      case NONE -> 0;
      case I -> word >> 20;
      case S -> (word >> 25 << 5) | (word >>> 7 & 31);
      case B ->
          (word >> 31 << 12)
              | ((word >>> 7 & 1) << 11)
              | ((word >>> 25 & 63) << 5)
              | ((word >>> 8 & 15) << 1);
      case U -> word & 0xfffff000;
      case J ->
          (word >> 31 << 20)
              | ((word >>> 12 & 0xff) << 12)
              | ((word >>> 20 & 1) << 11)
              | ((word >>> 21 & 0x3ff) << 1);
      case SHIFT6 -> word >>> 20 & 63;
      case SHIFT5 -> word >>> 20 & 31;
      case CSR -> word >>> 20;
    };
  }

  /// The bits of an instruction word that hold `value`.
  public int insert(long value) {
    int v = (int) value;
    return switch (this) {
      case NONE -> 0;
      case I, CSR -> v << 20;
      case S -> (v >> 5 & 127) << 25 | (v & 31) << 7;
      case B -> (v >> 12 & 1) << 31 | (v >> 5 & 63) << 25 | (v >> 1 & 15) << 8 | (v >> 11 & 1) << 7;
      case U -> v & 0xfffff000;
      case J ->
          (v >> 20 & 1) << 31
              | (v >> 1 & 0x3ff) << 21
              | (v >> 11 & 1) << 20
              | (v >> 12 & 0xff) << 12;
      case SHIFT6 -> (v & 63) << 20;
      case SHIFT5 -> (v & 31) << 20;
    };
  }
}
