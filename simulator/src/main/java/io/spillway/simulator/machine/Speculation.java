package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Instruction;
import java.util.Arrays;

/// Executes instructions on a path that the program does not take, as a core does between a wrong
/// prediction and its discovery: registers are copies, stores go to a buffer of its own, nothing
/// faults.
///
/// Integer values are followed; what comes from float units, control registers, atomics, or memory
/// that may not be read is unknown, and so is what is computed from it.
public final class Speculation {
  /// An address or a target that is not known.
  public static final long UNKNOWN = -1;

  private static final int STORES = 64;
  private static final int ALL = -1;

  private final Memory memory;
  private final long[] x = new long[32];

  /// A bit for each register whose value is known.
  private int known;

  private final long[] storeAddress = new long[STORES];
  private final int[] storeBytes = new int[STORES];
  private final long[] storeValue = new long[STORES];
  private final boolean[] storeKnown = new boolean[STORES];
  private int stores;

  /// The data address of the last instruction, or [#UNKNOWN].
  public long address = UNKNOWN;

  /// Where the program would go after the last instruction, or [#UNKNOWN].
  public long next = UNKNOWN;

  public Speculation(Machine machine) {
    memory = machine.memory();
  }

  /// Begins with the registers of a hart.
  public void begin(Hart hart) {
    System.arraycopy(hart.x, 0, x, 0, 32);
    known = ALL;
    stores = 0;
  }

  /// Goes on from where another one is.
  public void begin(Speculation other) {
    System.arraycopy(other.x, 0, x, 0, 32);
    known = other.known;
    stores = other.stores;
    System.arraycopy(other.storeAddress, 0, storeAddress, 0, stores);
    System.arraycopy(other.storeBytes, 0, storeBytes, 0, stores);
    System.arraycopy(other.storeValue, 0, storeValue, 0, stores);
    System.arraycopy(other.storeKnown, 0, storeKnown, 0, stores);
  }

  /// Executes `in`, which stands at `pc`.
  public void execute(Instruction in, long pc) {
    address = UNKNOWN;
    next = pc + in.length();
    switch (in.opClass()) {
      case INTEGER_ALU -> {
        boolean computed = operandsKnown(in);
        if (computed) {
          Interpreter.integer(x, in, pc, x[in.rs1()], x[in.rs2()], in.imm());
        }
        writes(in, computed);
      }
      case INTEGER_MULTIPLY, INTEGER_DIVIDE -> {
        boolean computed = operandsKnown(in);
        if (computed) {
          Interpreter.multiply(x, in, x[in.rs1()], x[in.rs2()]);
        }
        writes(in, computed);
      }
      case LOAD -> load(in);
      case STORE -> store(in);
      case BRANCH ->
          next =
              !operandsKnown(in)
                  ? UNKNOWN
                  : Interpreter.holds(in, x[in.rs1()], x[in.rs2()]) ? pc + in.imm() : next;
      case JUMP -> {
        x[in.rd()] = next;
        next = pc + in.imm();
        writes(in, true);
      }
      case INDIRECT_JUMP -> {
        long target = isKnown(in.rs1()) ? x[in.rs1()] + in.imm() & ~1L : UNKNOWN;
        x[in.rd()] = next;
        next = target;
        writes(in, true);
      }
      case ATOMIC,
          SYSTEM,
          FENCE,
          FLOAT_ADD,
          FLOAT_COMPARE,
          FLOAT_CONVERT,
          FLOAT_MULTIPLY,
          FLOAT_FMA,
          FLOAT_DIVIDE,
          FLOAT_SQRT,
          FLOAT_MISC ->
          writes(in, false);
    }
  }

  private boolean isKnown(int register) {
    return (known >>> register & 1) != 0;
  }

  /// Whether the integer operands are known; fields that name no register hold a zero there or an
  /// immediate's bits, so the joint numbering decides.
  private boolean operandsKnown(Instruction in) {
    return known == ALL
        || (in.source1() < 0 || isKnown(in.rs1())) && (in.source2() < 0 || isKnown(in.rs2()));
  }

  private void writes(Instruction in, boolean isKnown) {
    int rd = in.destination();
    if (rd >= 0 && rd < 32) {
      known = isKnown ? known | 1 << rd : known & ~(1 << rd);
    }
    x[0] = 0;
  }

  private void load(Instruction in) {
    boolean read = false;
    if (isKnown(in.rs1())) {
      address = x[in.rs1()] + in.imm();
      if ((memory.permission(address) & Memory.READ) == 0) {
        address = UNKNOWN;
      } else if (in.destination() < 32) {
        read = value(in);
      }
    }
    writes(in, read);
  }

  /// Reads memory behind the buffered stores; whether the value is known.
  private boolean value(Instruction in) {
    int bytes = in.accessBytes();
    for (int s = stores - 1; s >= 0; s--) {
      if (storeAddress[s] < address + bytes && address < storeAddress[s] + storeBytes[s]) {
        if (storeAddress[s] != address || storeBytes[s] != bytes || !storeKnown[s]) {
          return false;
        }
        x[in.rd()] = extend(in, storeValue[s]);
        return true;
      }
    }
    x[in.rd()] =
        extend(
            in,
            switch (bytes) {
              case 1 -> memory.load8(address);
              case 2 -> memory.load16(address);
              case 4 -> memory.load32(address);
              default -> memory.load64(address);
            });
    return true;
  }

  private static long extend(Instruction in, long value) {
    return switch (in.op()) {
      case LB -> (byte) value;
      case LH -> (short) value;
      case LW -> (int) value;
      case LBU -> value & 0xff;
      case LHU -> value & 0xffff;
      case LWU -> value & 0xffffffffL;
      default -> value;
    };
  }

  private void store(Instruction in) {
    if (!isKnown(in.rs1()) || stores == STORES) {
      return;
    }
    address = x[in.rs1()] + in.imm();
    storeAddress[stores] = address;
    storeBytes[stores] = in.accessBytes();
    storeKnown[stores] = in.source2() < 32 && isKnown(in.rs2());
    storeValue[stores++] = x[in.rs2()];
  }

  /// For tests: the value of an integer register, or an exception if it is not known.
  long register(int number) {
    if (!isKnown(number)) {
      throw new IllegalStateException("x" + number + " is not known: " + Arrays.toString(x));
    }
    return x[number];
  }
}
