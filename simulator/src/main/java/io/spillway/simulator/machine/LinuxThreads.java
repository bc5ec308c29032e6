package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Registers;

/// Threads and what they wait for.
final class LinuxThreads {
  private static final int SHARED_MEMORY = 0x100;
  private static final int SET_TLS = 0x80000;
  private static final int PARENT_SET_ID = 0x100000;
  private static final int CHILD_CLEAR_ID = 0x200000;
  private static final int CHILD_SET_ID = 0x1000000;

  /// A hart that sleeps waits for this, which no futex has as its address.
  private static final long SLEEP = -1;

  private final Machine machine;
  private final Memory memory;
  private int lastId = LinuxCalls.FIRST_THREAD;

  LinuxThreads(Machine machine) {
    this.machine = machine;
    this.memory = machine.memory();
  }

  long start(Hart parent, long flags, long stack, long parentId, long tls, long childId) {
    if ((flags & SHARED_MEMORY) == 0) {
      return Errno.NOT_IMPLEMENTED;
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

  long wake(long address, int count, long mask) {
    long woken = 0;
    for (Hart h : machine.harts()) {
      if (woken < count && h.waitsFor == address && (h.waitMask & mask) != 0) {
        h.waitsFor = 0;
        h.wakesAtNanos = Long.MAX_VALUE;
        woken++;
      }
    }
    return woken;
  }

  /// Wakes the harts whose time has come.
  void wakeDue() {
    for (Hart h : machine.harts()) {
      if (h.waitsFor != 0 && h.wakesAtNanos <= machine.nanos()) {
        h.x[Registers.A0] = h.waitsFor == SLEEP ? 0 : Errno.TIMED_OUT;
        h.waitsFor = 0;
        h.wakesAtNanos = Long.MAX_VALUE;
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
