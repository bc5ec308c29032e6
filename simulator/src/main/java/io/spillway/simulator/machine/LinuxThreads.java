package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Registers;

/// Threads and what they wait for.
final class LinuxThreads {
  private static final int SHARED_MEMORY = 0x100;
  private static final int THREAD = 0x10000;
  private static final int SET_TLS = 0x80000;
  private static final int PARENT_SET_ID = 0x100000;
  private static final int CHILD_CLEAR_ID = 0x200000;
  private static final int CHILD_SET_ID = 0x1000000;

  /// A hart that sleeps waits for this, which no futex has as its address.
  private static final long SLEEP = -1;

  /// Waits for a signal of `sigwait`.
  private static final long SIGNAL = -2;

  /// Waits for descriptors: woken by every pipe that moves.
  private static final long DESCRIPTORS = -3;

  private final Machine machine;
  private final Memory memory;
  private int lastId = LinuxCalls.FIRST_THREAD;

  LinuxThreads(Machine machine) {
    this.machine = machine;
    this.memory = machine.memory();
  }

  long start(Hart parent, long flags, long stack, long parentId, long tls, long childId) {
    if ((flags & SHARED_MEMORY) == 0 || (flags & THREAD) == 0) {
      throw new ProgramFault(
          31,
          "a second process (fork, vfork, system, popen) is not offered, only threads are; at "
              + machine.where(parent.lastPc));
    }
    int id = ++lastId;
    if ((flags & PARENT_SET_ID) != 0) {
      memory.store32(parentId, id);
    }
    if ((flags & CHILD_SET_ID) != 0) {
      memory.store32(childId, id);
    }
    Hart child = machine.startHart(id);
    child.copyRegisters(parent);
    child.signalMask = parent.signalMask;
    child.x[Registers.A0] = 0;
    if (stack != 0) {
      child.x[Registers.SP] = stack;
    }
    if ((flags & SET_TLS) != 0) {
      child.x[Registers.TP] = tls;
    }
    if ((flags & CHILD_CLEAR_ID) != 0) {
      child.clearOnExit = childId;
    }
    return id;
  }

  /// Ends one thread; the program ends with its last.
  void exit(Hart hart, int status) {
    if (hart.clearOnExit != 0 && memory.permission(hart.clearOnExit) != 0) {
      memory.store32(hart.clearOnExit, 0);
      wake(hart.clearOnExit, 1, -1);
    }
    machine.endHart(hart);
    if (machine.harts().stream().noneMatch(Hart::isAlive)) {
      machine.finish(status & 255);
    }
  }

  long futex(
      Hart hart, long address, int operation, int value, long timeout, long other, int mask) {
    boolean bits = (operation & 127) == 9 || (operation & 127) == 10;
    return switch (operation & 127) {
      case 0, 9 -> waitFor(hart, address, value, timeout, bits, bits ? mask & 0xffffffffL : -1);
      case 1, 10 -> wake(address, value, bits ? mask & 0xffffffffL : -1);
      case 3, 4 -> {
        if ((operation & 127) == 4 && memory.load32(address) != mask) {
          yield Errno.AGAIN;
        }
        long woken = wake(address, value, -1);
        long moved = 0;
        for (Hart h : machine.harts()) {
          if (h.waitsFor == address && moved < timeout) {
            h.waitsFor = other;
            moved++;
          }
        }
        yield woken + moved;
      }
      default -> Errno.NOT_IMPLEMENTED;
    };
  }

  private long waitFor(
      Hart hart, long address, int value, long timeout, boolean absolute, long mask) {
    if (memory.load32(address) != value) {
      return Errno.AGAIN;
    }
    long deadline = Long.MAX_VALUE;
    if (timeout != 0) {
      long nanos = memory.load64(timeout) * 1_000_000_000L + memory.load64(timeout + 8);
      // absolute times are those of our clocks, whose origins differ
      long now = machine.nanos();
      deadline =
          !absolute
              ? now + nanos
              : nanos > LinuxCalls.EPOCH_NANOS ? nanos - LinuxCalls.EPOCH_NANOS : nanos;
    }
    hart.waitsFor = address;
    hart.waitMask = mask;
    hart.wakesAtNanos = deadline;
    return 0;
  }

  long sleep(Hart hart, long nanos) {
    hart.waitsFor = SLEEP;
    hart.wakesAtNanos = machine.nanos() + Math.max(0, nanos);
    return 0;
  }

  /// Has the call made again once `key` is woken or the time has come.
  long again(Hart hart, long key, long untilNanos) {
    hart.waitsFor = key;
    hart.waitMask = -1;
    hart.wakesAtNanos = untilNanos;
    hart.restarts = true;
    hart.pc = hart.lastPc;
    return hart.x[Registers.A0];
  }

  /// Waits up to `nanos`, below 0 for ever, for a descriptor to become ready: 0 when the time is
  /// over.
  long poll(Hart hart, long nanos) {
    long now = machine.nanos();
    if (hart.pollsUntilNanos == 0) {
      hart.pollsUntilNanos = nanos < 0 ? Long.MAX_VALUE : now + nanos;
    }
    if (now >= hart.pollsUntilNanos) {
      hart.pollsUntilNanos = 0;
      return 0;
    }
    return again(hart, DESCRIPTORS, hart.pollsUntilNanos);
  }

  /// Waits for ever, that is for a signal.
  void pause(Hart hart) {
    hart.waitsFor = SLEEP;
    hart.wakesAtNanos = Long.MAX_VALUE;
  }

  /// Waits for one of the signals that the hart awaits.
  void awaitSignal(Hart hart, long nanos) {
    hart.waitsFor = SIGNAL;
    hart.wakesAtNanos = nanos < 0 ? Long.MAX_VALUE : machine.nanos() + nanos;
  }

  /// Takes a hart out of its wait with a result; what it waited for did not happen.
  void interrupt(Hart hart, long result, boolean restart) {
    if (hart.waitsFor == 0) {
      return;
    }
    boolean isFutex = hart.waitsFor > 0 && hart.wakesAtNanos == Long.MAX_VALUE;
    boolean isPipe = hart.restarts && hart.waitsFor != DESCRIPTORS;
    if (restart && isFutex) {
      hart.x[Registers.A0] = hart.waitsFor;
      hart.pc = hart.lastPc;
    } else if (!(restart && isPipe)) {
      if (hart.restarts) {
        hart.pc = hart.lastPc + 4;
      }
      hart.pollsUntilNanos = 0;
      hart.x[Registers.A0] = result;
    }
    awake(hart);
  }

  private static void awake(Hart hart) {
    hart.waitsFor = 0;
    hart.wakesAtNanos = Long.MAX_VALUE;
    hart.restarts = false;
    hart.awaitedSignals = 0;
  }

  long wake(long address, int count, long mask) {
    long woken = 0;
    for (Hart h : machine.harts()) {
      boolean polls = address < DESCRIPTORS && h.waitsFor == DESCRIPTORS;
      if (woken < count && (polls || h.waitsFor == address && (h.waitMask & mask) != 0)) {
        awake(h);
        woken++;
      }
    }
    return woken;
  }

  /// Wakes the harts whose time has come.
  void wakeDue() {
    machine.linux().signals().ringAlarm();
    for (Hart h : machine.harts()) {
      if (h.waitsFor != 0 && h.wakesAtNanos <= machine.nanos()) {
        if (!h.restarts) {
          h.x[Registers.A0] =
              h.waitsFor == SLEEP ? 0 : h.waitsFor == SIGNAL ? Errno.AGAIN : Errno.TIMED_OUT;
        }
        awake(h);
      }
    }
  }

  int lastId() {
    return lastId;
  }

  void restore(int id) {
    lastId = id;
  }
}
