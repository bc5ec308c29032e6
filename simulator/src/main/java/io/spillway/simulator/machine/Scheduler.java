package io.spillway.simulator.machine;

import java.util.function.LongConsumer;

/// Lets the harts of a machine take turns of a fixed number of instructions. The order depends on
/// nothing but the program, so that a threaded run repeats exactly, on every engine.
public final class Scheduler {
  /// Instructions of one turn while there are several harts.
  public static final long TURN = 20_000;

  /// The longest stretch without a look at what else there is to do.
  private static final long STRETCH = 50_000_000;

  /// Instructions between two words to a watcher.
  private static final long LOOK = 10_000_000;

  private final Machine machine;
  private final Engine engine;
  private final long turn;
  private LongConsumer watcher = retired -> {};
  private long nextLook;

  public Scheduler(Machine machine, Engine engine) {
    this(machine, engine, TURN);
  }

  /// @param turn instructions of one turn, [#TURN] for the order that all engines share
  public Scheduler(Machine machine, Engine engine, long turn) {
    this.machine = machine;
    this.engine = engine;
    this.turn = turn;
  }

  /// Tells `watcher` now and then how many instructions were executed.
  public void watchedBy(LongConsumer told) {
    watcher = told;
  }

  /// Runs until the program ends.
  ///
  /// **Errors:** [ProgramFault] as the engine throws it, and when every hart waits for ever.
  public void run() {
    runUntil(Long.MAX_VALUE);
  }

  /// Runs until all harts together have executed `total` instructions, or the program ends.
  public void runUntil(long total) {
    for (long now = machine.retired(); !machine.isFinished() && now < total; ) {
      if (now >= nextLook) {
        watcher.accept(now);
        nextLook = now + LOOK;
      }
      turn(total);
      now = machine.retired();
    }
  }

  private void turn(long total) {
    machine.linux().threads().wakeDue();
    Hart next = machine.nextHart();
    if (next == null) {
      machine.idleUntilNextWake();
      return;
    }
    long left = total - machine.retired();
    if (machine.harts().size() == 1) {
      engine.run(next, Math.min(STRETCH, left));
      return;
    }
    // what is left of its turn, should the last call have ended within it
    long rest = Math.max(1, turn - machine.turnUsed());
    long before = next.retired;
    engine.run(next, Math.min(rest, left));
    long used = next.retired - before;
    machine.useTurn(next, used, used >= rest || !next.isRunnable());
  }
}
