package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Instruction;

/// The A extension. Harts run in turn, so every operation is atomic by itself; a store-conditional
/// succeeds if the reserved word still holds the value that was loaded.
final class AtomicOps {
  private AtomicOps() {}

  static void execute(Memory memory, Hart hart, Instruction in) {
    long address = hart.x[in.rs1()];
    long b = hart.x[in.rs2()];
    boolean wide = in.accessBytes() == 8;
    if ((address & in.accessBytes() - 1) != 0) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    long old = wide ? memory.load64(address) : memory.load32(address);
    switch (in.op()) {
      case LR_W, LR_D -> {
        hart.reserved = true;
        hart.reservedAddress = address;
        hart.reservedValue = old;
        hart.x[in.rd()] = old;
        return;
      }
      case SC_W, SC_D -> {
        boolean same = wide ? hart.reservedValue == old : (int) hart.reservedValue == (int) old;
        boolean holds = hart.reserved && hart.reservedAddress == address && same;
        hart.reserved = false;
        if (holds) {
          store(memory, wide, address, b);
        }
        hart.x[in.rd()] = holds ? 0 : 1;
        return;
      }
      default -> {}
    }
    int a32 = (int) old;
    int b32 = (int) b;
    long value =
        switch (in.op()) {
          case AMOSWAP_W, AMOSWAP_D -> b;
          case AMOADD_W, AMOADD_D -> old + b;
          case AMOXOR_W, AMOXOR_D -> old ^ b;
          case AMOAND_W, AMOAND_D -> old & b;
          case AMOOR_W, AMOOR_D -> old | b;
          case AMOMIN_W -> Math.min(a32, b32);
          case AMOMAX_W -> Math.max(a32, b32);
          case AMOMINU_W -> Integer.compareUnsigned(a32, b32) < 0 ? a32 : b32;
          case AMOMAXU_W -> Integer.compareUnsigned(a32, b32) > 0 ? a32 : b32;
          case AMOMIN_D -> Math.min(old, b);
          case AMOMAX_D -> Math.max(old, b);
          case AMOMINU_D -> IntegerOps.minu(old, b);
          case AMOMAXU_D -> IntegerOps.maxu(old, b);
          default -> throw new IllegalStateException("not atomic: " + in.op());
        };
    store(memory, wide, address, value);
    hart.x[in.rd()] = old;
  }

  private static void store(Memory memory, boolean wide, long address, long value) {
    if (wide) {
      memory.store64(address, value);
    } else {
      memory.store32(address, (int) value);
    }
  }
}
