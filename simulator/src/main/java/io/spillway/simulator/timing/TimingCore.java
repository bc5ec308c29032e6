package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.Unit;
import java.util.List;

/// A core model that is told every retired instruction in program order and answers with time.
public abstract sealed class TimingCore permits InOrderCore, OutOfOrderCore {
  final UnitTable units;
  final TimedCode code;

  TimingCore(List<Unit> kinds, CodeReader reader) {
    units = new UnitTable(kinds);
    code = new TimedCode(reader, units);
  }

  /// Accounts for one instruction.
  ///
  /// @param in the instruction
  /// @param pc its address
  /// @param next the address of the instruction after it
  /// @param taken whether a branch was taken
  /// @param address the data address of a memory instruction
  public final void retire(Instruction in, long pc, long next, boolean taken, long address) {
    retire(new TimedInstruction(in, units), pc, next, taken, address);
  }

  abstract void retire(TimedInstruction t, long pc, long next, boolean taken, long address);

  /// Forgets decoded instructions, for the program has changed its code.
  final void codeChanged() {
    code.clear();
  }

  /// Lets the core stand still until `cycle`: its thread starts or wakes only then.
  abstract void idleUntil(long cycle);

  /// Core cycles until the last retired instruction committed.
  public abstract long cycles();

  /// The core's branch prediction with its counts.
  public abstract BranchUnit branches();

  /// Where the cycles went.
  public abstract CycleStack stack();
}
