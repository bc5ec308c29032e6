package io.spillway.simulator.functional;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.machine.Memory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A stretch of a block whose memory accesses are all checked before its first instruction: the
/// addresses depend on nothing that the stretch loads, so they can be computed ahead.
///
/// One check is one way out, with the state before the stretch; a way out at every access would
/// keep HotSpot from dropping the writes to registers that the next instructions write again.
///
/// @param start index in the block of its first instruction
/// @param ahead indices of the instructions that must be computed ahead, in order
/// @param accesses what is checked, by the index of the instruction ahead that computes the
///   address, or -1 where the register holds it already
record Segment(int start, List<Integer> ahead, TreeMap<Integer, List<Access>> accesses) {

  private static final int LARGEST_SPAN = Memory.PAGE_BYTES - 1;

  /// Accesses through one value of a register.
  ///
  /// @param base the register
  /// @param lowest the least offset
  /// @param highest the greatest offset, less than a page above
  /// @param writes whether any of them is a store
  record Access(int base, long lowest, long highest, boolean writes) {
    boolean isOne() {
      return lowest == highest;
    }
  }

  boolean hasAccesses() {
    return !accesses.isEmpty();
  }

  /// The segments of a block.
  static List<Segment> of(List<Instruction> block) {
    List<Segment> segments = new ArrayList<>();
    int start = 0;
    while (start < block.size()) {
      Builder builder = new Builder(block, start);
      int end = builder.extend();
      segments.add(builder.build());
      start = end;
    }
    return segments;
  }

  private static final class Builder {
    private final List<Instruction> block;
    private final int start;
    // by register: the instruction that computed its value, -1 at first, UNKNOWN if not to be had
    private final Map<Integer, Integer> origin = new HashMap<>();
    private final TreeMap<Integer, List<Access>> accesses = new TreeMap<>();
    // by instruction: where its sources come from
    private final Map<Integer, List<Integer>> origins = new HashMap<>();
    private static final int UNKNOWN = -2;

    Builder(List<Instruction> block, int start) {
      this.block = block;
      this.start = start;
    }

    private int originOf(int register) {
      return origin.getOrDefault(register, -1);
    }

    /// Takes instructions up to an access whose address is not to be had ahead.
    int extend() {
      for (int i = start; i < block.size(); i++) {
        Instruction in = block.get(i);
        if (in.isLoad() || in.isStore()) {
          int from = originOf(in.rs1());
          if (from == UNKNOWN) {
            return i;
          }
          add(from, in);
        }
        if (in.destination() > 0) {
          origin.put(in.destination(), compute(i, in));
        }
      }
      return block.size();
    }

    private int compute(int i, Instruction in) {
      if (in.opClass() != OpClass.INTEGER_ALU) {
        return UNKNOWN;
      }
      List<Integer> sources = new ArrayList<>();
      for (int register : new int[] {in.source1(), in.source2()}) {
        if (register > 0) {
          int from = originOf(register);
          if (from == UNKNOWN) {
            return UNKNOWN;
          }
          sources.add(from);
        }
      }
      origins.put(i, sources);
      return i;
    }

    private void add(int from, Instruction in) {
      List<Access> there = accesses.computeIfAbsent(from, _ -> new ArrayList<>());
      for (int k = 0; k < there.size(); k++) {
        Access a = there.get(k);
        if (a.base == in.rs1()) {
          Access grown =
              new Access(
                  a.base,
                  Math.min(a.lowest, in.imm()),
                  Math.max(a.highest, in.imm()),
                  a.writes || in.isStore());
          if (grown.highest - grown.lowest <= LARGEST_SPAN) {
            there.set(k, grown);
            return;
          }
        }
      }
      there.add(new Access(in.rs1(), in.imm(), in.imm(), in.isStore()));
    }

    Segment build() {
      TreeMap<Integer, Boolean> needed = new TreeMap<>();
      accesses.keySet().forEach(from -> need(from, needed));
      return new Segment(start, List.copyOf(needed.keySet()), accesses);
    }

    private void need(int instruction, TreeMap<Integer, Boolean> needed) {
      if (instruction >= 0 && needed.put(instruction, true) == null) {
        origins.getOrDefault(instruction, List.of()).forEach(from -> need(from, needed));
      }
    }
  }
}
