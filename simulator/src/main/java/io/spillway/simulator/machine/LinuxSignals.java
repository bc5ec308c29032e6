package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Op;
import io.spillway.simulator.isa.Registers;
import java.util.Arrays;
import java.util.stream.LongStream;

/// Signals that the program sends to itself or causes: handlers run on a frame as Linux lays it
/// out, and what nobody handles ends the program.
final class LinuxSignals {
  private static final int COUNT = 65;
  private static final int INFO = 4;
  private static final int NO_DEFER = 0x40000000;
  private static final int ON_STACK = 0x08000000;
  private static final int RESET = 0x80000000;
  private static final int RESTART = 0x10000000;
  private static final int ALARM = 14;

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
  private long alarmAt = Long.MAX_VALUE;
  private long alarmEvery;

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

  /// Sends a signal to a thread; it is delivered once the call that sent it is done, to another
  /// thread at once.
  long send(int thread, int signal) {
    if (signal < 0 || signal >= COUNT) {
      return Errno.INVALID;
    }
    for (Hart hart : machine.harts()) {
      if (hart.id() == thread && hart.isAlive()) {
        if (signal != 0) {
          hart.pendingSignals |= 1L << signal - 1;
          arrive(hart);
        }
        return 0;
      }
    }
    return Errno.NO_PROCESS;
  }

  /// Sends a signal to whichever thread takes it.
  long sendToProcess(Hart sender, int signal) {
    long bit = signal < 1 || signal >= COUNT ? 0 : 1L << signal - 1;
    Hart takes = (sender.signalMask & bit) == 0 ? sender : machine.harts().get(0);
    for (Hart hart : machine.harts()) {
      if ((hart.awaitedSignals & bit) != 0) {
        takes = hart;
      } else if ((takes.signalMask & bit) != 0 && hart.isAlive() && (hart.signalMask & bit) == 0) {
        takes = hart;
      }
    }
    return send(takes.id(), signal);
  }

  /// What a signal does to a hart that is not in a call of its own: those that wait are woken.
  private void arrive(Hart hart) {
    long awaited = hart.pendingSignals & hart.awaitedSignals;
    if (awaited != 0) {
      machine.linux().threads().interrupt(hart, take(hart, awaited, hart.awaitedInfo), false);
    } else if (hart != machine.calling()) {
      deliverPending(hart);
    }
  }

  private long take(Hart hart, long among, long info) {
    int signal = Long.numberOfTrailingZeros(among) + 1;
    hart.pendingSignals &= ~(1L << signal - 1);
    if (info != 0) {
      memory.write(info, new byte[128]);
      memory.store32(info, signal);
    }
    return signal;
  }

  /// `sigtimedwait`: takes a pending signal of the set or waits for one; `nanos` below 0 for ever.
  long await(Hart hart, long set, long info, long nanos) {
    long awaited = memory.load64(set);
    if ((hart.pendingSignals & awaited) != 0) {
      return take(hart, hart.pendingSignals & awaited, info);
    }
    if (nanos == 0) {
      return Errno.AGAIN;
    }
    hart.awaitedSignals = awaited;
    hart.awaitedInfo = info;
    machine.linux().threads().awaitSignal(hart, nanos);
    return 0;
  }

  /// `sigsuspend`: waits for a signal under another mask.
  long suspend(Hart hart, long set) {
    hart.suspendedMask = hart.signalMask;
    hart.suspended = true;
    hart.signalMask = memory.load64(set);
    machine.linux().threads().pause(hart);
    return Errno.INTERRUPTED;
  }

  long pending(Hart hart, long address) {
    memory.store64(address, hart.pendingSignals & hart.signalMask);
    return 0;
  }

  /// The alarm of real time: `setitimer` if `set`, else `getitimer`; addresses may be 0.
  long timer(int which, long next, long old, boolean set) {
    if (which != 0) {
      return Errno.INVALID;
    }
    if (old != 0) {
      long left = alarmAt == Long.MAX_VALUE ? 0 : Math.max(1000, alarmAt - machine.nanos());
      store(old, alarmEvery);
      store(old + 16, left);
    }
    if (set) {
      alarmEvery = next == 0 ? 0 : load(next);
      long first = next == 0 ? 0 : load(next + 16);
      alarmAt = first == 0 ? Long.MAX_VALUE : machine.nanos() + first;
    }
    return 0;
  }

  private void store(long address, long nanos) {
    memory.store64(address, nanos / 1_000_000_000);
    memory.store64(address + 8, nanos / 1000 % 1_000_000);
  }

  private long load(long address) {
    return memory.load64(address) * 1_000_000_000 + memory.load64(address + 8) * 1000;
  }

  /// When the alarm rings next, in the machine's nanoseconds.
  long alarmAt() {
    return alarmAt;
  }

  /// Sends the alarm's signal if its time has come.
  void ringAlarm() {
    if (machine.nanos() >= alarmAt) {
      alarmAt = alarmEvery == 0 ? Long.MAX_VALUE : machine.nanos() + alarmEvery;
      sendToProcess(machine.harts().get(0), ALARM);
    }
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
      boolean restart = (actions[signal][1] & RESTART) != 0 && !hart.suspended;
      machine.linux().threads().interrupt(hart, Errno.INTERRUPTED, restart);
      enter(hart, signal, false, 0, hart.pc);
    }
  }

  /// Runs the handler of a fault; false if there is none.
  boolean fault(Hart hart, int signal, long address) {
    if (actions[signal][0] <= 1 || (hart.signalMask & 1L << signal - 1) != 0) {
      return false;
    }
    enter(hart, signal, true, address, hart.lastPc);
    return true;
  }

  private void enter(Hart hart, int signal, boolean isFault, long address, long resume) {
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
    if (isFault) {
      // an address that is not mapped, or one that is not allowed
      memory.store32(frame + 8, memory.permission(address) != 0 ? 2 : 1);
      memory.store64(frame + 16, address);
    } else {
      // by tkill, from this process
      memory.store32(frame + 8, -6);
      memory.store32(frame + 16, LinuxCalls.FIRST_THREAD);
      memory.store32(frame + 20, 1000);
    }
    memory.store64(frame + CONTEXT_MASK, hart.suspended ? hart.suspendedMask : hart.signalMask);
    hart.suspended = false;
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
    return LongStream.concat(
            Arrays.stream(actions).flatMapToLong(Arrays::stream),
            LongStream.of(alarmAt, alarmEvery))
        .toArray();
  }

  void restore(long[] kept) {
    for (int i = 0; i < COUNT * 3; i++) {
      actions[i / 3][i % 3] = kept[i];
    }
    alarmAt = kept[COUNT * 3];
    alarmEvery = kept[COUNT * 3 + 1];
  }
}
