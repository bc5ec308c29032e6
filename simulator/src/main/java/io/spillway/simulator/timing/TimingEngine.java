package io.spillway.simulator.timing;

import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.SystemDescription;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Executes instructions and accounts for their time, one core model per hart while there are
/// cores; further harts share the cores in turn.
///
/// The instruction count of a core is exact; several cores take turns as the scheduler decides, so
/// their clocks may be a turn apart where they share a level.
final class TimingEngine implements Engine {
  private final Machine machine;
  private final SystemDescription system;
  private final Interpreter interpreter;
  private final List<TimingCore> cores = new ArrayList<>();
  private final List<MemorySystem> memories = new ArrayList<>();
  private final Map<Integer, Integer> coreOfHart = new HashMap<>();
  private final Map<Integer, Boolean> asleep = new HashMap<>();
  private int last;
  private boolean warming;

  TimingEngine(SystemDescription system, Machine machine, MemorySystem memory) {
    this.machine = machine;
    this.system = system;
    this.interpreter = new Interpreter(machine);
    memories.add(memory);
    cores.add(core(memory));
    machine.onCodeChange(() -> cores.forEach(TimingCore::codeChanged));
  }

  private TimingCore core(MemorySystem memory) {
    double fast = system.fast().hertz();
    return switch (system.core()) {
      case Core.InOrder c -> new InOrderCore(c, system.predictor(), fast, memory, machine::decode);
      case Core.OutOfOrder c ->
          new OutOfOrderCore(c, system.predictor(), fast, memory, machine::decode);
    };
  }

  /// Whether instructions only warm caches instead of taking time.
  void warm(boolean on) {
    warming = on;
  }

  /// The memory side of every core so far.
  List<MemorySystem> memories() {
    return memories;
  }

  List<TimingCore> cores() {
    return cores;
  }

  private int coreOf(Hart hart) {
    return coreOfHart.computeIfAbsent(
        hart.id(),
        id -> {
          int n = coreOfHart.size();
          if (n < system.cores() && n >= cores.size()) {
            MemorySystem memory = memories.get(0).sibling();
            memories.add(memory);
            cores.add(core(memory));
          }
          return n % Math.min(cores.size(), system.cores());
        });
  }

  @Override
  public void run(Hart hart, long count) {
    int index = coreOf(hart);
    if (system.cores() > 1) {
      // a thread that starts or wakes does so because of what ran just before
      if (asleep.getOrDefault(hart.id(), true)) {
        cores.get(index).idleUntil(cores.get(last).cycles());
      }
      last = index;
    }
    step(hart, count, index);
    if (system.cores() > 1) {
      asleep.put(hart.id(), !hart.isRunnable());
    }
  }

  private void step(Hart hart, long count, int index) {
    if (warming) {
      warmUp(hart, count, memories.get(index));
    } else if (cores.get(index) instanceof InOrderCore core) {
      run(hart, count, core);
    } else if (cores.get(index) instanceof OutOfOrderCore core) {
      run(hart, count, core);
    }
  }

  // two loops, so that each calls one model only

  private void run(Hart hart, long count, InOrderCore core) {
    core.follow(hart, machine);
    long end = hart.retired + count;
    int harts = machine.harts().size();
    while (goesOn(hart, end, harts)) {
      long pc = hart.pc;
      TimedInstruction t = core.code.at(pc);
      if (t == null) {
        interpreter.step(hart);
        continue;
      }
      long expected = hart.retired;
      while (true) {
        interpreter.step(hart, t.in);
        long next = hart.pc;
        core.retire(t, pc, next, hart.taken, hart.address);
        // what runs next can only have changed with a system call, a fence or a fault
        if (hart.retired != ++expected || expected >= end || t.interrupts) {
          break;
        }
        t = core.code.after(t, pc, next);
        if (t == null) {
          break;
        }
        pc = next;
      }
    }
  }

  private void run(Hart hart, long count, OutOfOrderCore core) {
    core.follow(hart, machine);
    long end = hart.retired + count;
    int harts = machine.harts().size();
    while (goesOn(hart, end, harts)) {
      long pc = hart.pc;
      TimedInstruction t = core.code.at(pc);
      if (t == null) {
        interpreter.step(hart);
        continue;
      }
      long expected = hart.retired;
      while (true) {
        interpreter.step(hart, t.in);
        long next = hart.pc;
        core.retire(t, pc, next, hart.taken, hart.address);
        // what runs next can only have changed with a system call, a fence or a fault
        if (hart.retired != ++expected || expected >= end || t.interrupts) {
          break;
        }
        t = core.code.after(t, pc, next);
        if (t == null) {
          break;
        }
        pc = next;
      }
    }
  }

  /// Whether a hart runs on; with several cores only until it has started another.
  private boolean goesOn(Hart hart, long end, int harts) {
    return hart.retired < end
        && hart.isRunnable()
        && !machine.isFinished()
        && (system.cores() == 1 || machine.harts().size() == harts);
  }

  private void warmUp(Hart hart, long count, MemorySystem memory) {
    long line = -1;
    for (long i = 0; i < count && hart.isRunnable() && !machine.isFinished(); i++) {
      interpreter.step(hart);
      if (hart.lastPc >>> 6 != line) {
        line = hart.lastPc >>> 6;
        memory.warm(hart.lastPc, false, true);
      }
      if (hart.instruction.isMemory()) {
        memory.warm(hart.address, !hart.instruction.isLoad(), false);
      }
    }
  }
}
