package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Instruction;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
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

  /// What `sigsuspend` put aside, to be the mask again after a handler.
  long suspendedMask;

  boolean suspended;

  /// The signals that `sigwait` waits for, and where it wants to be told of one.
  long awaitedSignals;

  long awaitedInfo;

  /// Whether the call that it waits in is made again when it wakes.
  boolean restarts;

  /// The end of a wait for descriptors that is made again and again; 0 if there is none.
  long pollsUntilNanos;

  long pendingSignals;
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

  void save(DataOutputStream out) throws IOException {
    out.writeInt(id);
    Checkpoint.longs(out, x);
    Checkpoint.longs(out, f);
    Checkpoint.longs(
        out,
        floatStatus.csr(),
        pc,
        retired,
        lastPc,
        reserved ? 1 : 0,
        reservedAddress,
        reservedValue,
        alive ? 1 : 0,
        waitsFor,
        waitMask,
        wakesAtNanos,
        clearOnExit,
        robustList,
        signalMask,
        alternateStack,
        alternateStackBytes,
        pendingSignals,
        suspendedMask,
        suspended ? 1 : 0,
        awaitedSignals,
        awaitedInfo,
        restarts ? 1 : 0,
        pollsUntilNanos);
  }

  static Hart restore(DataInputStream in) throws IOException {
    Hart hart = new Hart(in.readInt());
    System.arraycopy(Checkpoint.longs(in), 0, hart.x, 0, 32);
    System.arraycopy(Checkpoint.longs(in), 0, hart.f, 0, 32);
    long[] kept = Checkpoint.longs(in);
    int i = 0;
    hart.floatStatus.setCsr(kept[i++]);
    hart.pc = kept[i++];
    hart.retired = kept[i++];
    hart.lastPc = kept[i++];
    hart.reserved = kept[i++] != 0;
    hart.reservedAddress = kept[i++];
    hart.reservedValue = kept[i++];
    hart.alive = kept[i++] != 0;
    hart.waitsFor = kept[i++];
    hart.waitMask = kept[i++];
    hart.wakesAtNanos = kept[i++];
    hart.clearOnExit = kept[i++];
    hart.robustList = kept[i++];
    hart.signalMask = kept[i++];
    hart.alternateStack = kept[i++];
    hart.alternateStackBytes = kept[i++];
    hart.pendingSignals = kept[i++];
    hart.suspendedMask = kept[i++];
    hart.suspended = kept[i++] != 0;
    hart.awaitedSignals = kept[i++];
    hart.awaitedInfo = kept[i++];
    hart.restarts = kept[i++] != 0;
    hart.pollsUntilNanos = kept[i++];
    return hart;
  }
}
