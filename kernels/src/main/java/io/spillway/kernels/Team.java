package io.spillway.kernels;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Threads that share one short piece of work after another, tens of microseconds each: helpers
/// take parts as they get to them, so that a helper which the system holds up delays nobody by more
/// than a part, and wait awake for a moment where the next piece is known to come at once.
public final class Team implements AutoCloseable {
  private static final int SPINS = 2000;

  /// How long a helper stays awake for work that follows: longer than the gaps between the products
  /// of one token, since waking a sleeping thread of a virtual machine takes as long as a small
  /// product.
  private static final long AWAKE_NANOS = 300_000;

  /// Looks at the work between two looks at the clock.
  private static final int LOOKS = 64;

  private final Thread[] helpers;
  private volatile @Nullable Work work;
  private volatile boolean closed;

  private static final class Work {
    final LongConsumer part;
    final int parts;
    final boolean moreFollows;
    final AtomicInteger next = new AtomicInteger();
    final AtomicInteger done = new AtomicInteger();
    final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Work(LongConsumer part, int parts, boolean moreFollows) {
      this.part = part;
      this.parts = parts;
      this.moreFollows = moreFollows;
    }

    void help() {
      for (int i = next.getAndIncrement(); i < parts; i = next.getAndIncrement()) {
        try {
          part.accept(i);
        } catch (Throwable e) {
          failure.compareAndSet(null, e);
        } finally {
          done.incrementAndGet();
        }
      }
    }
  }

  /// @param threads how many threads work, the calling one among them
  public Team(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads");
    }
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = Thread.ofPlatform().daemon().name("team-", i).start(this::help);
    }
  }

  public int threads() {
    return helpers.length + 1;
  }

  private void help() {
    Work last = null;
    int looks = 0;
    long until = System.nanoTime();
    while (!closed) {
      Work now = work;
      if (now != null && now != last) {
        last = now;
        now.help();
        looks = 0;
        until = System.nanoTime() + (now.moreFollows ? AWAKE_NANOS : 0);
      } else if (++looks % LOOKS != 0 || System.nanoTime() - until < 0) {
        Thread.onSpinWait();
      } else {
        LockSupport.park(this);
      }
    }
  }

  /// Calls `part` with each of `0 .. parts - 1` once, on any of the threads, and returns when all
  /// are done. One caller at a time.
  public void run(int parts, LongConsumer part) {
    run(parts, part, false);
  }

  /// [#run(int, LongConsumer)] whose helpers stay awake for a moment, as more work follows within
  /// microseconds. They take a core from everybody else meanwhile, from libtorch's threads as well.
  public void runAwake(int parts, LongConsumer part) {
    run(parts, part, true);
  }

  private synchronized void run(int parts, LongConsumer part, boolean moreFollows) {
    Work now = new Work(part, parts, moreFollows);
    if (parts > 1) {
      work = now;
      for (Thread helper : helpers) {
        LockSupport.unpark(helper);
      }
    }
    now.help();
    for (int spins = 0; now.done.get() < parts; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    Throwable failure = now.failure.get();
    if (failure != null) {
      throw new IllegalStateException("a part of the work failed", failure);
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }
}
