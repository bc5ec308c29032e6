package io.spillway.simulator.functional;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
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
  private final RegisterFile registers = new RegisterFile();

  /// What is known of an address where control arrives often.
  private static final class Translated {
    final long pc;
    final @Nullable Variant code; // null where translation is not worth while
    @Nullable Variant careful; // runs where `code` refuses, made when it first does

    Translated(long pc, @Nullable Variant code) {
      this.pc = pc;
      this.code = code;
    }
  }

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
    while (hart.retired < end && hart.isRunnable() && !machine.isFinished()) {
      Translated region = regionAt(hart.pc, end - hart.retired);
      if (region == null) {
        interpretBlock(hart, end);
      } else {
        runRegions(hart, region, end);
      }
    }
  }

  private @Nullable Translated regionAt(long pc, long left) {
    Translated region = table[slot(pc)];
    return region != null && region.pc == pc && region.code != null && left >= region.code.size()
        ? region
        : null;
  }

  /// Goes from region to region with the registers in their file.
  private void runRegions(Hart hart, Translated first, long end) {
    registers.load(hart);
    Translated region = first;
    int how;
    do {
      how = run(hart, Objects.requireNonNull(region.code), end);
      if (how == RegionCode.REFUSED) {
        how = runCarefully(hart, region, end);
      }
      if (how == RegionCode.DONE && table[slot(hart.pc)] == null) {
        arrive(hart.pc);
      }
      region = regionAt(hart.pc, end - hart.retired);
    } while (how == RegionCode.DONE && region != null);
    registers.store(hart);
    switch (how) {
      case RegionCode.INTERPRET -> {
        if (hart.retired < end) {
          interpreter.step(hart);
          arrive(hart.pc);
        }
      }
      case RegionCode.REFUSED -> interpretBlock(hart, end);
      default -> {}
    }
  }

  private int run(Hart hart, Variant variant, long end) {
    int budget = (int) Math.min(end - hart.retired, LARGEST_BUDGET);
    long base = machine.memory().base();
    int result = variant.code().run(hart, registers, hart.floatStatus, base, budget);
    hart.retired += budget - (result >> 2);
    return result & 3;
  }

  private int runCarefully(Hart hart, Translated region, long end) {
    if (region.careful == null) {
      region.careful = RegionCompiler.compile(machine, region.pc, true);
    }
    Variant careful = region.careful;
    return careful == null || end - hart.retired < careful.size()
        ? RegionCode.REFUSED
        : run(hart, careful, end);
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
    install(known != null ? known : new Translated(pc, RegionCompiler.compile(machine, pc, false)));
  }

  private void install(Translated region) {
    byAddress.put(region.pc, region);
    table[slot(region.pc)] = region;
  }
}
