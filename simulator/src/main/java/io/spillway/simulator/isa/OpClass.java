package io.spillway.simulator.isa;

/// The kind of unit that an operation needs, in the classes that timing models tell apart.
public enum OpClass {
  INTEGER_ALU,
  INTEGER_MULTIPLY,
  INTEGER_DIVIDE,
  FLOAT_ADD,
  FLOAT_COMPARE,
  FLOAT_CONVERT,
  FLOAT_MULTIPLY,
  FLOAT_FMA,
  FLOAT_DIVIDE,
  FLOAT_SQRT,
  /// Sign injection and classification.
  FLOAT_MISC,
  LOAD,
  STORE,
  /// Load-reserved, store-conditional and read-modify-write.
  ATOMIC,
  /// A conditional branch.
  BRANCH,
  /// `jal`: an unconditional jump to a fixed target.
  JUMP,
  /// `jalr`: an unconditional jump to a target in a register.
  INDIRECT_JUMP,
  /// Environment calls, breakpoints and control registers.
  SYSTEM,
  /// Memory ordering and instruction synchronisation.
  FENCE;

  /// Whether such an operation may change the flow of control.
  public boolean isControl() {
    return this == BRANCH || this == JUMP || this == INDIRECT_JUMP;
  }

  /// Whether such an operation accesses data memory.
  public boolean isMemory() {
    return this == LOAD || this == STORE || this == ATOMIC;
  }
}
