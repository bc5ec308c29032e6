package io.spillway.training.engine;

import java.util.concurrent.locks.LockSupport;

/// Holds work back to a rate: what ended early waits until its time has come.
public final class Pace {
  private Pace() {}

  /// Sleeps until `deadlineNs` on the clock of [System#nanoTime]; the last bit is a yielding wait,
  /// as a parked thread wakes late.
  public static void until(long deadlineNs) {
    while (true) {
      long left = deadlineNs - System.nanoTime();
      if (left <= 0) {
        return;
      }
      if (left > 80_000) {
        LockSupport.parkNanos(left - 60_000);
      } else {
        Thread.yield();
      }
    }
  }
}
