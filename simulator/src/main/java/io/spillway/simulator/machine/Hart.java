package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Instruction;
import org.jspecify.annotations.Nullable;

/// One hardware thread: its registers and what its last step did.
///
/// Fields are public because engines and timing models read and write them for every instruction.
public final class Hart {
  /// Integer registers; `x[0]` is always 0.
  public final long[] x = new long[32];

  /// Float registers as bits; a single-precision value fills the upper half with ones.
  public final long[] f = new long[32];

  /// Accrued exceptions and rounding mode.
  public final FloatStatus floatStatus = new FloatStatus();

  /// Address of the next instruction.
  public long pc;

  /// Instructions executed.
  public long retired;

  // ---- what the last step did

  public long lastPc;
  public Instruction instruction = Machine.NOP;
  public boolean taken;
  public long address;

  // ---- load-reserved

  boolean reserved;
  long reservedAddress;
  long reservedValue;

  // ---- Linux thread

  final int id;
  boolean alive = true;

  /// The futex that it waits for, or 0.
  long waitsFor;

  long waitMask;
  long wakesAtNanos = Long.MAX_VALUE;
  long clearOnExit;
  long robustList;
  long signalMask;
  long alternateStack;
  long alternateStackBytes;

  // ---- decode cache: the page that pc was in last

  long codePage = -1;
  @Nullable Instruction[] codeSlots = new Instruction[0];

  Hart(int id) {
    this.id = id;
  }

  /// The Linux thread number.
  public int id() {
    return id;
  }

  public boolean isAlive() {
    return alive;
  }

  /// Whether it may be stepped: alive and not waiting.
  public boolean isRunnable() {
    return alive && waitsFor == 0;
  }

  /// Makes this hart continue as a copy of another; used by `clone`.
  void copyRegisters(Hart other) {
    System.arraycopy(other.x, 0, x, 0, 32);
    System.arraycopy(other.f, 0, f, 0, 32);
    floatStatus.setCsr(other.floatStatus.csr());
    pc = other.pc;
  }
}
