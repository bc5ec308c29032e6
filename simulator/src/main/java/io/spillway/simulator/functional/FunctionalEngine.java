package io.spillway.simulator.functional;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Executes programs fast: where control arrives often, the region around it is translated to a
/// hidden class whose method keeps the registers in local variables across loops and calls; HotSpot
/// compiles that method. Everything else is interpreted.
///
/// It executes exactly as many instructions as asked and leaves the same state as [Interpreter].
public final class FunctionalEngine implements Engine {
  /// Arrivals at an address before its region is translated.
  private static final int HOT = 300;

  private static final int SLOTS = 1 << 16;
  private static final int LARGEST_BUDGET = 1 << 28;

  private final Machine machine;
  private final Interpreter interpreter;
  private final int hot;
  private final Map<Long, Translated> byAddress = new HashMap<>();
  private final @Nullable Translated[] table = new Translated[SLOTS];
  private final int[] arrivals = new int[SLOTS];

  /// A translated region; `code` is null where translation is not worth while.
  private record Translated(long pc, int size, @Nullable RegionCode code, boolean careful) {}

  public FunctionalEngine(Machine machine) {
    this(machine, HOT);
  }

  /// An engine that translates after `hot` arrivals.
  FunctionalEngine(Machine machine, int hot) {
    this.machine = machine;
    this.interpreter = new Interpreter(machine);
    this.hot = hot;
    machine.onCodeChange(this::forget);
  }

  private void forget() {
    byAddress.clear();
    Arrays.fill(table, null);
    Arrays.fill(arrivals, 0);
  }

  /// How many regions are translated now.
  public int regions() {
    return byAddress.size();
  }

  private static int slot(long pc) {
    return (int) (pc >>> 1 ^ pc >>> 17) & SLOTS - 1;
  }

  @Override
  public void run(Hart hart, long count) {
    long end = hart.retired + count;
    long base = machine.memory().base();
    while (hart.retired < end && hart.isRunnable() && !machine.isFinished()) {
      long pc = hart.pc;
      Translated region = table[slot(pc)];
      long left = end - hart.retired;
      if (region == null || region.pc != pc || region.code == null || left < region.size) {
        interpretBlock(hart, end);
        continue;
      }
      int budget = (int) Math.min(left, LARGEST_BUDGET);
      int result = region.code.run(hart, hart.x, hart.f, hart.floatStatus, base, budget);
      hart.retired += budget - (result >> 2);
      switch (result & 3) {
        case RegionCode.INTERPRET -> {
          interpreter.step(hart);
          arrive(hart.pc);
        }
        case RegionCode.REFUSED -> {
          if (!region.careful) {
            install(translate(pc, true));
          }
          interpretBlock(hart, end);
        }
        default -> {
          if (table[slot(hart.pc)] == null) {
            arrive(hart.pc);
          }
        }
      }
    }
  }

  /// Interprets up to the next change of the flow of control.
  private void interpretBlock(Hart hart, long end) {
    Instruction in;
    do {
      interpreter.step(hart);
      in = hart.instruction;
    } while (!in.isControl()
        && !Region.isForInterpreter(in)
        && hart.retired < end
        && hart.isRunnable()
        && !machine.isFinished());
    arrive(hart.pc);
  }

  private void arrive(long pc) {
    int slot = slot(pc);
    Translated there = table[slot];
    if (there != null && there.pc == pc || ++arrivals[slot] < hot) {
      return;
    }
    arrivals[slot] = 0;
    Translated known = byAddress.get(pc);
    install(known != null ? known : translate(pc, false));
  }

  private void install(Translated region) {
    byAddress.put(region.pc, region);
    table[slot(region.pc)] = region;
  }

  private Translated translate(long pc, boolean careful) {
    RegionCompiler.Compiled compiled = RegionCompiler.compile(machine, pc, careful);
    return compiled == null
        ? new Translated(pc, Integer.MAX_VALUE, null, careful)
        : new Translated(pc, compiled.size(), compiled.code(), careful);
  }
}
