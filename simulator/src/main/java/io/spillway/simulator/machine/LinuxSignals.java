package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Op;
import io.spillway.simulator.isa.Registers;

/// Signals that the program sends to itself or causes: handlers run on a frame as Linux lays it
/// out, and what nobody handles ends the program.
final class LinuxSignals {
  private static final int COUNT = 65;
  private static final int INFO = 4;
  private static final int NO_DEFER = 0x40000000;
  private static final int ON_STACK = 0x08000000;
  private static final int RESET = 0x80000000;

  // the frame: signal information, then the context with registers and float registers
  private static final int CONTEXT = 128;
  private static final int CONTEXT_MASK = CONTEXT + 40;
  private static final int REGISTERS = CONTEXT + 176;
  private static final int FLOATS = REGISTERS + 256;
  private static final int FRAME_BYTES = FLOATS + 528;

  /// Where `sigreturn` is called from, as from the kernel's own page.
  private static final long TRAMPOLINE = ProcessStack.TOP + Memory.PAGE_BYTES;

  private final Machine machine;
  private final Memory memory;
  // [signal] handler, flags, mask
  private final long[][] actions = new long[COUNT][3];

  LinuxSignals(Machine machine) {
    this.machine = machine;
    this.memory = machine.memory();
  }

  void mapTrampoline() {
    memory.map(TRAMPOLINE, Memory.PAGE_BYTES, Memory.READ | Memory.WRITE);
    memory.store32(TRAMPOLINE, 139 << 20 | Registers.A7 << 7 | Op.ADDI.match());
    memory.store32(TRAMPOLINE + 4, Op.ECALL.match());
    memory.protect(TRAMPOLINE, Memory.PAGE_BYTES, Memory.READ | Memory.EXECUTE);
  }

  long action(int signal, long next, long old) {
    if (signal < 1 || signal >= COUNT || next != 0 && (signal == 9 || signal == 19)) {
      return Errno.INVALID;
    }
    long[] action = actions[signal].clone();
    if (next != 0) {
      for (int i = 0; i < 3; i++) {
        actions[signal][i] = memory.load64(next + 8L * i);
      }
    }
    if (old != 0) {
      for (int i = 0; i < 3; i++) {
        memory.store64(old + 8L * i, action[i]);
      }
    }
    return 0;
  }

  long mask(Hart hart, int how, long set, long old) {
    long before = hart.signalMask;
    if (set != 0) {
      long bits = memory.load64(set);
      hart.signalMask =
          switch (how) {
            case 0 -> before | bits;
            case 1 -> before & ~bits;
            default -> bits;
          };
    }
    if (old != 0) {
      memory.store64(old, before);
    }
    return 0;
  }

  long alternateStack(Hart hart, long next, long old) {
    if (old != 0) {
      memory.store64(old, hart.alternateStack);
      memory.store64(old + 8, hart.alternateStackBytes == 0 ? 2 : 0);
      memory.store64(old + 16, hart.alternateStackBytes);
    }
    if (next != 0) {
      boolean off = (memory.load32(next + 8) & 2) != 0;
      hart.alternateStack = off ? 0 : memory.load64(next);
      hart.alternateStackBytes = off ? 0 : memory.load64(next + 16);
    }
    return 0;
  }

  /// Sends a signal; it is delivered once the call that sent it is done.
  long send(int thread, int signal) {
    if (signal < 0 || signal >= COUNT) {
      return Errno.INVALID;
    }
    for (Hart hart : machine.harts()) {
      if (hart.id() == thread && hart.isAlive()) {
        if (signal != 0) {
          hart.pendingSignals |= 1L << signal - 1;
        }
        return 0;
      }
    }
    return Errno.NO_PROCESS;
  }

  /// Delivers what is pending and not blocked.
  void deliverPending(Hart hart) {
    long ready = hart.pendingSignals & ~hart.signalMask;
    if (ready == 0) {
      return;
    }
    int signal = Long.numberOfTrailingZeros(ready) + 1;
    hart.pendingSignals &= ~(1L << signal - 1);
    long handler = actions[signal][0];
    boolean ignoredByDefault = signal == 17 || signal == 18 || signal == 23 || signal == 28;
    if (handler == 1 || handler == 0 && ignoredByDefault) {
      return;
    }
    if (handler == 0) {
      machine.finish(128 + signal);
    } else {
      enter(hart, signal, 0, hart.pc);
    }
  }

  /// Runs the handler of a fault; false if there is none.
  boolean fault(Hart hart, int signal, long address) {
    if (actions[signal][0] <= 1 || (hart.signalMask & 1L << signal - 1) != 0) {
      return false;
    }
    enter(hart, signal, address, hart.lastPc);
    return true;
  }

  private void enter(Hart hart, int signal, long address, long resume) {
    long[] action = actions[signal];
    int flags = (int) action[1];
    long sp = hart.x[Registers.SP];
    boolean inside =
        sp > hart.alternateStack && sp <= hart.alternateStack + hart.alternateStackBytes;
    if ((flags & ON_STACK) != 0 && hart.alternateStackBytes != 0 && !inside) {
      sp = hart.alternateStack + hart.alternateStackBytes;
    }
    long frame = sp - FRAME_BYTES & -16;
    try {
      memory.write(frame, new byte[FRAME_BYTES]);
    } catch (MemoryFault e) {
      throw new ProgramFault(
          11, "no room on the stack for signal " + signal + " at " + machine.where(resume));
    }
    memory.store32(frame, signal);
    memory.store32(frame + 8, address == 0 ? -6 : 1);
    memory.store64(frame + 16, address);
    memory.store64(frame + CONTEXT_MASK, hart.signalMask);
    memory.store64(frame + REGISTERS, resume);
    for (int i = 1; i < 32; i++) {
      memory.store64(frame + REGISTERS + 8L * i, hart.x[i]);
    }
    for (int i = 0; i < 32; i++) {
      memory.store64(frame + FLOATS + 8L * i, hart.f[i]);
    }
    memory.store32(frame + FLOATS + 256, hart.floatStatus.csr());
    hart.signalMask |= action[2] | ((flags & NO_DEFER) == 0 ? 1L << signal - 1 : 0);
    hart.x[Registers.SP] = frame;
    hart.x[Registers.RA] = TRAMPOLINE;
    hart.x[Registers.A0] = signal;
    hart.x[Registers.A0 + 1] = (flags & INFO) != 0 ? frame : 0;
    hart.x[Registers.A0 + 2] = (flags & INFO) != 0 ? frame + CONTEXT : 0;
    hart.pc = action[0];
    if ((flags & RESET) != 0) {
      action[0] = 0;
    }
  }

  /// Returns from a handler to what it interrupted.
  void leave(Hart hart) {
    long frame = hart.x[Registers.SP];
    hart.signalMask = memory.load64(frame + CONTEXT_MASK);
    hart.pc = memory.load64(frame + REGISTERS);
    for (int i = 1; i < 32; i++) {
      hart.x[i] = memory.load64(frame + REGISTERS + 8L * i);
    }
    for (int i = 0; i < 32; i++) {
      hart.f[i] = memory.load64(frame + FLOATS + 8L * i);
    }
    hart.floatStatus.setCsr(memory.load32(frame + FLOATS + 256));
  }

  long[] keep() {
    return java.util.Arrays.stream(actions).flatMapToLong(java.util.Arrays::stream).toArray();
  }

  void restore(long[] kept) {
    for (int i = 0; i < kept.length; i++) {
      actions[i / 3][i % 3] = kept[i];
    }
  }
}
