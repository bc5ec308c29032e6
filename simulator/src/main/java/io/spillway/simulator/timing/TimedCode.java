package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The program's instructions as a core times them, by address, filled as they are met.
///
/// A small direct-mapped table of pages keeps calls between pages short.
final class TimedCode {
  private static final int PAGE_BITS = 12;
  private static final int SLOTS = 1 << PAGE_BITS - 1;
  private static final int RECENT = 64;

  private final CodeReader reader;
  private final UnitTable units;
  private final Map<Long, @Nullable TimedInstruction[]> pages = new HashMap<>();
  private final long[] recentPage = new long[RECENT];
  private final @Nullable TimedInstruction[][] recent = new TimedInstruction[RECENT][0];

  TimedCode(CodeReader reader, UnitTable units) {
    this.reader = reader;
    this.units = units;
    Arrays.fill(recentPage, -1);
  }

  /// The instruction at `pc`, or null where there is none.
  @Nullable TimedInstruction at(long pc) {
    long page = pc >>> PAGE_BITS;
    int r = (int) page & RECENT - 1;
    if (page != recentPage[r]) {
      recent[r] = pages.computeIfAbsent(page, p -> new TimedInstruction[SLOTS]);
      recentPage[r] = page;
    }
    @Nullable TimedInstruction[] slots = recent[r];
    TimedInstruction t = slots[(int) (pc >>> 1) & SLOTS - 1];
    return t != null && (pc & 1) == 0 ? t : read(slots, pc);
  }

  /// The instruction at `pc` that comes after `last`, which stands at `lastPc`: found through
  /// `last` where it is the next one or the target of a direct branch.
  @Nullable TimedInstruction after(TimedInstruction last, long lastPc, long pc) {
    long distance = pc - lastPc;
    if (distance == last.length) {
      TimedInstruction t = last.following;
      if (t == null) {
        t = at(pc);
        last.following = t;
      }
      return t;
    }
    if (last.direct && distance == last.in.imm()) {
      TimedInstruction t = last.target;
      if (t == null) {
        t = at(pc);
        last.target = t;
      }
      return t;
    }
    return at(pc);
  }

  private @Nullable TimedInstruction read(@Nullable TimedInstruction[] slots, long pc) {
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
    Arrays.fill(recentPage, -1);
  }
}
