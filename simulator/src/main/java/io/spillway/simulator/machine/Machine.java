package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Disassembler;
import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.Registers;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// A loaded program with everything it can see: memory, hardware threads and the Linux calls.
///
/// Engines share this one state, so that a run may change engines between any two instructions.
public final class Machine implements AutoCloseable {
  static final Instruction NOP = Objects.requireNonNull(Decoder.decode(0x13));

  private static final int ILLEGAL = 4;
  private static final int ABORT = 6;
  private static final int TRAP = 5;
  private static final int BAD_ADDRESS = 11;

  private final Memory memory = new Memory();
  private final ElfImage image;
  private final LinuxCalls linux;
  private final FloatInterpreter floats = new FloatInterpreter(this);
  private @Nullable Hart calling;
  private final List<Hart> harts = new ArrayList<>();
  private final Map<Long, @Nullable Instruction[]> decoded = new HashMap<>();
  private final List<Runnable> codeListeners = new ArrayList<>();
  private ToLongFunction<Hart> cycles = hart -> hart.retired;
  private LongSupplier nanos = this::retired;
  private boolean finished;
  private int exitStatus;
  private long retiredByDead;
  private long idleNanos;
  private int turnOf;
  private long turnUsed;

  private Machine(ElfImage image, ProcessOptions options) {
    this.image = image;
    this.linux = new LinuxCalls(this, options);
  }

  /// A machine without harts and memory, for [Checkpoint] to fill.
  static Machine empty(ElfImage image, ProcessOptions options) {
    return new Machine(image, options);
  }

  ProcessOptions options() {
    return linux.options();
  }

  void save(DataOutputStream out) throws IOException {
    Checkpoint.longs(out, finished ? 1 : 0, exitStatus, retiredByDead, idleNanos, turnOf, turnUsed);
    out.writeInt(harts.size());
    for (Hart hart : harts) {
      hart.save(out);
    }
    linux.save(out);
  }

  void restore(DataInputStream in) throws IOException {
    long[] kept = Checkpoint.longs(in);
    finished = kept[0] != 0;
    exitStatus = (int) kept[1];
    retiredByDead = kept[2];
    idleNanos = kept[3];
    turnOf = (int) kept[4];
    turnUsed = kept[5];
    for (int i = in.readInt(); i > 0; i--) {
      harts.add(Hart.restore(in));
    }
    if (harts.isEmpty()) {
      throw new EOFException("no harts");
    }
    linux.restore(in);
  }

  /// A machine about to execute the program's first instruction.
  public static Machine load(ElfImage image, ProcessOptions options) {
    Machine machine = new Machine(image, options);
    image.loadInto(machine.memory);
    Hart hart = new Hart(LinuxCalls.FIRST_THREAD);
    hart.x[Registers.SP] = ProcessStack.build(machine.memory, image, options);
    hart.pc = image.entry();
    machine.linux.signals().mapTrampoline();
    machine.harts.add(hart);
    return machine;
  }

  @Override
  public void close() {
    linux.close();
    memory.close();
  }

  public Memory memory() {
    return memory;
  }

  public ElfImage image() {
    return image;
  }

  /// The first hart.
  public Hart hart() {
    return harts.get(0);
  }

  /// The harts that were started and have not ended, the first always among them.
  public List<Hart> harts() {
    return Collections.unmodifiableList(harts);
  }

  LinuxCalls linux() {
    return linux;
  }

  FloatInterpreter floats() {
    return floats;
  }

  /// Instructions executed by all harts.
  public long retired() {
    long sum = retiredByDead;
    for (int i = 0; i < harts.size(); i++) {
      sum += harts.get(i).retired;
    }
    return sum;
  }

  /// Whether the program has ended.
  public boolean isFinished() {
    return finished;
  }

  /// The program's exit status, once it has ended.
  public int exitStatus() {
    return exitStatus;
  }

  void finish(int status) {
    finished = true;
    exitStatus = status;
    linux.flush();
  }

  Hart startHart(int id) {
    Hart hart = new Hart(id);
    harts.add(hart);
    return hart;
  }

  void endHart(Hart hart) {
    hart.alive = false;
    if (harts.size() > 1 && hart != harts.get(0)) {
      harts.remove(hart);
      retiredByDead += hart.retired;
    }
  }

  // ---- turns

  /// The hart whose turn it is; null if all wait.
  @Nullable Hart nextHart() {
    for (int i = 0; i < harts.size(); i++) {
      Hart hart = harts.get((turnOf + i) % harts.size());
      if (hart.isRunnable()) {
        if (i > 0) {
          turnOf = (turnOf + i) % harts.size();
          turnUsed = 0;
        }
        return hart;
      }
    }
    return null;
  }

  long turnUsed() {
    return turnUsed;
  }

  void useTurn(Hart hart, long used, boolean ended) {
    turnUsed += used;
    if (ended) {
      int index = harts.indexOf(hart);
      // a hart that has ended gave its place to the one behind it
      turnOf = index < 0 ? turnOf % harts.size() : (index + 1) % harts.size();
      turnUsed = 0;
    }
  }

  /// Lets time pass until a hart wakes.
  void idleUntilNextWake() {
    long earliest =
        Math.min(
            linux.signals().alarmAt(),
            harts.stream().mapToLong(h -> h.wakesAtNanos).min().orElse(Long.MAX_VALUE));
    if (earliest == Long.MAX_VALUE) {
      throw new ProgramFault(ABORT, "every thread waits for another at " + where(hart().lastPc));
    }
    idleNanos += Math.max(0, earliest - nanos());
  }

  // ---- time

  /// Sets where the program's clocks read: cycles of a hart and nanoseconds since the start.
  /// Without it each instruction counts one cycle of one nanosecond.
  public void setClocks(ToLongFunction<Hart> cyclesOfHart, LongSupplier nanosSinceStart) {
    this.cycles = cyclesOfHart;
    this.nanos = nanosSinceStart;
  }

  long cycles(Hart hart) {
    return cycles.applyAsLong(hart);
  }

  long nanos() {
    return nanos.getAsLong() + idleNanos;
  }

  // ---- code

  /// The decoded slots of a page, one for every two bytes; null where nothing was decoded yet.
  @Nullable Instruction[] codePage(long pc) {
    return decoded.computeIfAbsent(
        pc >>> Memory.PAGE_BITS, page -> new Instruction[Memory.PAGE_BYTES / 2]);
  }

  /// The instruction at `pc` without executing it; null if nothing can be fetched there or the word
  /// is unknown.
  public @Nullable Instruction decode(long pc) {
    if ((pc & 1) != 0 || (memory.permission(pc) & Memory.EXECUTE) == 0) {
      return null;
    }
    @Nullable Instruction[] slots = codePage(pc);
    int slot = (int) (pc & Memory.PAGE_BYTES - 1) >>> 1;
    if (slots[slot] == null) {
      int word = memory.fetch16(pc);
      if (Decoder.length(word) == 4) {
        if ((memory.permission(pc + 2) & Memory.EXECUTE) == 0) {
          return null;
        }
        word |= memory.fetch16(pc + 2) << 16;
      }
      slots[slot] = Decoder.decode(word);
    }
    return slots[slot];
  }

  /// The instruction at `pc` if it was decoded before, which it was if it was executed; else null.
  public @Nullable Instruction executedAt(long pc) {
    @Nullable Instruction[] slots = decoded.get(pc >>> Memory.PAGE_BITS);
    return slots == null || (pc & 1) != 0 ? null : slots[(int) (pc & Memory.PAGE_BYTES - 1) >>> 1];
  }

  /// Forgets decoded instructions, for the program has changed its code.
  public void codeChanged() {
    decoded.clear();
    for (Hart hart : harts) {
      hart.codePage = -1;
    }
    codeListeners.forEach(Runnable::run);
  }

  /// Calls `listener` whenever code may have changed.
  public void onCodeChange(Runnable listener) {
    codeListeners.add(listener);
  }

  // ---- what instructions ask of their surroundings

  void call(Hart hart) {
    linux.call(hart);
  }

  /// The hart that is in a call; null between calls.
  @Nullable Hart calling() {
    return calling;
  }

  void setCalling(@Nullable Hart hart) {
    calling = hart;
  }

  void breakpoint(Hart hart) {
    if (!linux.signal(hart, TRAP, hart.lastPc)) {
      throw new ProgramFault(TRAP, "breakpoint at " + where(hart.lastPc));
    }
  }

  void fault(Hart hart, MemoryFault fault) {
    if (!linux.signal(hart, BAD_ADDRESS, fault.address())) {
      throw new ProgramFault(
          BAD_ADDRESS,
          fault.getMessage() + " at " + where(hart.lastPc) + atInstruction(hart.lastPc));
    }
  }

  /// Gives an instruction that cannot be executed to the program's handler.
  ///
  /// **Errors:** the fault itself if there is none.
  void illegal(Hart hart, IllegalInstruction fault) {
    if (!linux.signal(hart, ILLEGAL, hart.lastPc)) {
      throw fault.report();
    }
  }

  IllegalInstruction unknownInstruction(Hart hart, long pc) {
    int word = memory.fetch16(pc);
    boolean wide = Decoder.length(word) == 4 && memory.permission(pc + 2) != 0;
    if (wide) {
      word |= memory.fetch16(pc + 2) << 16;
    }
    return new IllegalInstruction(
        new ProgramFault(
            ILLEGAL,
            String.format(
                "unknown instruction 0x%0" + (wide ? 8 : 4) + "x at %s", word, where(pc))));
  }

  private String atInstruction(long pc) {
    @Nullable Instruction in = decode(pc);
    return in == null ? "" : String.format(": 0x%x %s", in.word(), Disassembler.text(in, pc));
  }

  /// An address with its nearest symbol, for reports.
  public String where(long pc) {
    String symbol = image.symbols().nearest(pc);
    return "pc 0x" + Long.toHexString(pc) + (symbol.isEmpty() ? "" : " (" + symbol + ")");
  }
}
