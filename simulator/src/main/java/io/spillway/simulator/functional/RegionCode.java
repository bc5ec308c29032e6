package io.spillway.simulator.functional;

import io.spillway.simulator.machine.FloatStatus;
import io.spillway.simulator.machine.Hart;

/// What generated code looks like from outside.
interface RegionCode {
  /// The region ran to one of its ends.
  int DONE = 0;

  /// The instruction at the new pc is for the interpreter.
  int INTERPRET = 1;

  /// A register does not hold what the code assumes; nothing was executed.
  int REFUSED = 2;

  /// Executes from one of the region's entries and leaves the next pc in the hart, the registers in
  /// their file.
  ///
  /// @param base host address of the program's memory
  /// @param budget the most instructions to execute; at least the region's size
  /// @param entry which entry, counted as in [Variant#entries]
  /// @return the unused budget times four plus one of the constants above
  int run(Hart hart, RegisterFile registers, FloatStatus status, long base, int budget, int entry);
}
