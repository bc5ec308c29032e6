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

  /// Instructions of the first calls of a region; after these each call may execute twice those of
  /// the one before, up to the largest. Only a call enters code that HotSpot has compiled
  /// meanwhile.
  private static final int FIRST_BUDGET = 1_000;

  /// Calls before the budget may grow: HotSpot takes its decisions to compile by counting calls.
  private static final int SHORT_CALLS = 16;

  private static final int LARGEST_BUDGET = 1_000_000;

  /// Nanoseconds for one instruction in code that HotSpot has compiled, at most; a region that runs
  /// slower is still interpreted and must come back soon to find its compiled code.
  private static final long SLOWEST_NANOS = 8;

  private final Machine machine;
  private final Interpreter interpreter;
  private final int hot;
  private final Map<Long, Entry> byAddress = new HashMap<>();
  private final @Nullable Entry[] table = new Entry[SLOTS];
  private final int[] arrivals = new int[SLOTS];
  private final RegisterFile registers = new RegisterFile();

  /// A region that was translated.
  private static final class Translated {
    final Variant code;
    @Nullable Variant careful; // runs where `code` refuses, made when it first does
    int budget = FIRST_BUDGET;
    int calls;

    Translated(Variant code) {
      this.code = code;
    }
  }

  /// What is known of an address where control arrives often.
  ///
  /// @param region null where translation is not worth while
  /// @param index of the region's entry
  private record Entry(long pc, @Nullable Translated region, int index) {}

  public FunctionalEngine(Machine machine) {
    this(machine, HOT);
  }

  /// Loads and links what takes milliseconds of a first translation; may be called on another
  /// thread.
  public static void prepare() {
    RegionCompiler.prepare();
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
      Entry entry = entryAt(hart.pc, end - hart.retired);
      if (entry == null) {
        interpretBlock(hart, end);
      } else {
        runRegions(hart, entry, end);
      }
    }
  }

  private @Nullable Entry entryAt(long pc, long left) {
    Entry entry = table[slot(pc)];
    return entry != null
            && entry.pc == pc
            && entry.region != null
            && left >= entry.region.code.size()
        ? entry
        : null;
  }

  /// Goes from region to region with the registers in their file.
  private void runRegions(Hart hart, Entry first, long end) {
    registers.load(hart);
    Entry entry = first;
    int how;
    do {
      how = run(hart, entry, end);
      if (how == RegionCode.DONE && table[slot(hart.pc)] == null) {
        arrive(hart.pc);
      }
      entry = entryAt(hart.pc, end - hart.retired);
    } while (how == RegionCode.DONE && entry != null);
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

  private int run(Hart hart, Entry entry, long end) {
    Translated region = Objects.requireNonNull(entry.region);
    int how = run(hart, region, region.code, entry.index, end);
    if (how != RegionCode.REFUSED) {
      return how;
    }
    if (region.careful == null) {
      region.careful = RegionCompiler.compile(machine, region.code.entries().get(0), true);
    }
    Variant careful = region.careful;
    if (careful == null || end - hart.retired < careful.size()) {
      return RegionCode.REFUSED;
    }
    int index = careful.entries().indexOf(entry.pc);
    return index < 0 ? RegionCode.REFUSED : run(hart, region, careful, index, end);
  }

  private int run(Hart hart, Translated region, Variant variant, int entry, long end) {
    int budget = (int) Math.min(end - hart.retired, Math.max(variant.size(), region.budget));
    long base = machine.memory().base();
    if (region.budget == LARGEST_BUDGET) {
      int result = variant.code().run(hart, registers, hart.floatStatus, base, budget, entry);
      hart.retired += budget - (result >> 2);
      return result & 3;
    }
    long begin = System.nanoTime();
    int result = variant.code().run(hart, registers, hart.floatStatus, base, budget, entry);
    int executed = budget - (result >> 2);
    hart.retired += executed;
    boolean isFast = executed < budget / 2 || executed * SLOWEST_NANOS > System.nanoTime() - begin;
    if (++region.calls > SHORT_CALLS && isFast) {
      region.budget = Math.min(region.budget * 2, LARGEST_BUDGET);
    }
    return result & 3;
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
    Entry there = table[slot];
    if (there != null && there.pc == pc || ++arrivals[slot] < hot) {
      return;
    }
    arrivals[slot] = 0;
    Entry known = byAddress.get(pc);
    if (known != null) {
      table[slot] = known;
    } else {
      translate(pc);
    }
  }

  private void translate(long pc) {
    Variant code = RegionCompiler.compile(machine, pc, false);
    if (code == null) {
      install(new Entry(pc, null, 0));
      return;
    }
    Translated region = new Translated(code);
    for (int i = 0; i < code.entries().size(); i++) {
      long at = code.entries().get(i);
      Entry known = byAddress.get(at);
      if (known == null || known.region == null || known.region.code.size() < code.size()) {
        install(new Entry(at, region, i));
      }
    }
  }

  private void install(Entry entry) {
    byAddress.put(entry.pc, entry);
    table[slot(entry.pc)] = entry;
  }
}
