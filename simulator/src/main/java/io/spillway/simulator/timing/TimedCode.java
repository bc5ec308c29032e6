package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The program's instructions as a core times them, by address, filled as they are met.
final class TimedCode {
  private static final int PAGE_BITS = 12;
  private static final int SLOTS = 1 << PAGE_BITS - 1;

  private final CodeReader reader;
  private final UnitTable units;
  private final Map<Long, @Nullable TimedInstruction[]> pages = new HashMap<>();
  private long page = -1;
  private @Nullable TimedInstruction[] slots = new TimedInstruction[0];

  TimedCode(CodeReader reader, UnitTable units) {
    this.reader = reader;
    this.units = units;
  }

  /// The instruction at `pc`, or null where there is none.
  @Nullable TimedInstruction at(long pc) {
    if (pc >>> PAGE_BITS != page) {
      page = pc >>> PAGE_BITS;
      slots = pages.computeIfAbsent(page, p -> new TimedInstruction[SLOTS]);
    }
    TimedInstruction t = slots[(int) (pc >>> 1) & SLOTS - 1];
    return t != null && (pc & 1) == 0 ? t : read(pc);
  }

  /// The instruction at `pc`, which is likely the one behind `last`.
  @Nullable TimedInstruction after(TimedInstruction last, long pc, boolean sequential) {
    if (!sequential) {
      return at(pc);
    }
    TimedInstruction t = last.following;
    if (t == null) {
      t = at(pc);
      last.following = t;
    }
    return t;
  }

  private @Nullable TimedInstruction read(long pc) {
    Instruction in = reader.at(pc);
    if (in == null) {
      return null;
    }
    TimedInstruction t = new TimedInstruction(in, units);
    slots[(int) (pc >>> 1) & SLOTS - 1] = t;
    return t;
  }

  /// Forgets everything, for the code has changed.
  void clear() {
    pages.clear();
    page = -1;
  }
}
