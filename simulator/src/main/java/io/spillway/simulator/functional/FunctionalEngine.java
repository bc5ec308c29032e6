package io.spillway.simulator.functional;

import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;

/// Executes programs fast.
public final class FunctionalEngine implements Engine {
  private final Interpreter interpreter;

  public FunctionalEngine(Machine machine) {
    this.interpreter = new Interpreter(machine);
  }

  @Override
  public void run(Hart hart, long count) {
    interpreter.run(hart, count);
  }
}
