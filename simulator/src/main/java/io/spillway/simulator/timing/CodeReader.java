package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import org.jspecify.annotations.Nullable;

/// Shows a core the code that it would fetch on a wrong path.
@FunctionalInterface
public interface CodeReader {
  /// The instruction at `pc`, or null where there is none.
  @Nullable Instruction at(long pc);
}
