package io.spillway.simulator.functional;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.Op;
import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.machine.Machine;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A connected piece of the program's flow of control, entered at one address: the blocks that can
/// be reached from there by branches, jumps, calls and the returns of these calls, as far as they
/// have been executed before and fit the size.
///
/// @param entry where it is entered
/// @param blocks by address
/// @param returnSites addresses behind calls, to which an indirect jump within the region may go
/// @param size instructions in all blocks
record Region(long entry, TreeMap<Long, Block> blocks, TreeSet<Long> returnSites, int size) {

  /// Instructions that are executed one after the other.
  ///
  /// @param pc address of the first
  /// @param instructions the block's; the last may change the flow of control
  /// @param next the address behind it
  /// @param interpretNext whether the instruction at `next` is one for the interpreter
  record Block(long pc, List<Instruction> instructions, long next, boolean interpretNext) {
    Instruction last() {
      return instructions.get(instructions.size() - 1);
    }

    long lastPc() {
      return next - last().length();
    }

    boolean endsInControl() {
      return !instructions.isEmpty() && last().isControl();
    }
  }

  private static final int LONGEST_BLOCK = 64;

  /// The addresses at which it may be entered, [#entry] first: those to which control may come back
  /// from outside, which are the heads of loops, where code looks at its budget, and the return
  /// sites.
  List<Long> entries() {
    TreeSet<Long> found = new TreeSet<>(returnSites);
    for (Block block : blocks.values()) {
      Instruction last = block.last();
      if (last.opClass() == OpClass.BRANCH || last.opClass() == OpClass.JUMP) {
        long target = block.lastPc() + last.imm();
        if (target <= block.pc) {
          found.add(target);
        }
      }
    }
    found.retainAll(blocks.keySet());
    found.remove(entry);
    List<Long> all = new ArrayList<>(List.of(entry));
    all.addAll(found);
    return all;
  }

  /// Whether generated code leaves an instruction to the interpreter.
  static boolean isForInterpreter(Instruction in) {
    return in.opClass() == OpClass.SYSTEM
        || in.opClass() == OpClass.ATOMIC
        || in.op() == Op.FENCE_I;
  }

  /// Collects the region around `entry`; its size stays near `limit` weighted instructions.
  static @Nullable Region discover(Machine machine, long entry, int limit) {
    TreeMap<Long, Block> blocks = new TreeMap<>();
    TreeSet<Long> returnSites = new TreeSet<>();
    Deque<Long> open = new ArrayDeque<>(List.of(entry));
    int weight = 0;
    int size = 0;
    TreeSet<Long> leaders = new TreeSet<>(List.of(entry));
    while (!open.isEmpty() && weight < limit) {
      long pc = open.removeFirst();
      if (blocks.containsKey(pc)) {
        continue;
      }
      Block block = block(machine, pc, leaders);
      if (block.instructions.isEmpty()) {
        continue;
      }
      blocks.put(pc, block);
      for (Instruction in : block.instructions) {
        weight += weight(in);
      }
      size += block.instructions.size();
      successors(block, open, leaders, returnSites);
    }
    return blocks.containsKey(entry) ? new Region(entry, blocks, returnSites, size) : null;
  }

  private static int weight(Instruction in) {
    return switch (in.opClass()) {
      case LOAD, STORE -> 21;
      case BRANCH -> 26;
      case JUMP, INDIRECT_JUMP -> 24;
      case INTEGER_ALU, INTEGER_MULTIPLY, INTEGER_DIVIDE -> 10;
      default -> 16;
    };
  }

  private static Block block(Machine machine, long start, TreeSet<Long> leaders) {
    List<Instruction> instructions = new ArrayList<>();
    long pc = start;
    while (instructions.size() < LONGEST_BLOCK) {
      Instruction in = machine.executedAt(pc);
      if (in == null) {
        return new Block(start, instructions, pc, true);
      }
      if (isForInterpreter(in)) {
        return new Block(start, instructions, pc, true);
      }
      if (pc != start && leaders.contains(pc)) {
        return new Block(start, instructions, pc, false);
      }
      instructions.add(in);
      pc += in.length();
      if (in.isControl()) {
        break;
      }
    }
    return new Block(start, instructions, pc, false);
  }

  private static void successors(
      Block block, Deque<Long> open, TreeSet<Long> leaders, TreeSet<Long> returnSites) {
    Instruction last = block.last();
    long target = block.lastPc() + last.imm();
    switch (last.opClass()) {
      case BRANCH -> {
        // the likelier way first: backward branches are mostly taken
        add(last.imm() < 0 ? target : block.next, open, leaders);
        add(last.imm() < 0 ? block.next : target, open, leaders);
      }
      case JUMP -> {
        add(target, open, leaders);
        if (last.isCall()) {
          returnSites.add(block.next);
          add(block.next, open, leaders);
        }
      }
      case INDIRECT_JUMP -> {}
      default -> {
        if (!block.interpretNext) {
          add(block.next, open, leaders);
        }
      }
    }
  }

  private static void add(long pc, Deque<Long> open, TreeSet<Long> leaders) {
    leaders.add(pc);
    open.addLast(pc);
  }
}
