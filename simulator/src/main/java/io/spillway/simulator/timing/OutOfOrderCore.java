package io.spillway.simulator.timing;

import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.*;

public final class OutOfOrderCore extends TimingCore {
  BranchUnit b;

  OutOfOrderCore(Core.OutOfOrder c, Predictor p, double f, MemorySystem m, CodeReader r) {
    b = new BranchUnit(p);
  }

  public long cycles() {
    return 0;
  }

  public BranchUnit branches() {
    return b;
  }

  public void retire(
      io.spillway.simulator.isa.Instruction in, long pc, long next, boolean taken, long address) {}
}
