package io.spillway.simulator.timing;

import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.SystemDescription;

/// Runs a program on a timing model: executes each instruction, then accounts for its time.
public final class TimingRun {
  private final Machine machine;
  private final MemorySystem memory;
  private final TimingCore core;
  private long instructions;

  public TimingRun(SystemDescription system, Machine machine) {
    this.machine = machine;
    this.memory = new MemorySystem(system);
    for (ElfImage.Segment s : machine.image().segments()) {
      memory.frames().reserve(s.address(), s.memoryBytes());
    }
    this.core =
        switch (system.core()) {
          case Core.InOrder c ->
              new InOrderCore(
                  c, system.predictor(), system.fast().hertz(), memory, machine::decode);
          case Core.OutOfOrder c ->
              new OutOfOrderCore(
                  c, system.predictor(), system.fast().hertz(), memory, machine::decode);
        };
  }

  public void run() {
    Interpreter interpreter = new Interpreter(machine);
    Hart hart = machine.hart();
    while (!machine.isFinished()) {
      interpreter.step(hart);
      core.retire(hart.instruction, hart.lastPc, hart.pc, hart.taken, hart.address);
      instructions++;
    }
  }

  public long cycles() {
    return core.cycles();
  }

  public long instructions() {
    return instructions;
  }

  public MemorySystem memory() {
    return memory;
  }

  public BranchUnit branches() {
    return core.branches();
  }

  public String detail() {
    return core.detail();
  }
}
