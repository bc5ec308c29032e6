package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.predict.BranchUnit;

/// A core model that is told every retired instruction in program order and answers with time.
public abstract sealed class TimingCore permits InOrderCore, OutOfOrderCore {
  /// Accounts for one instruction.
  ///
  /// @param in the instruction
  /// @param pc its address
  /// @param next the address of the instruction after it
  /// @param taken whether a branch was taken
  /// @param address the data address of a memory instruction
  public abstract void retire(Instruction in, long pc, long next, boolean taken, long address);

  /// Core cycles until the last retired instruction committed.
  public abstract long cycles();

  /// The core's branch prediction with its counts.
  public abstract BranchUnit branches();

  /// Where the cycles went.
  public abstract CycleStack stack();
}
