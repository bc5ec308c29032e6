package io.spillway.training.engine;

import io.spillway.training.plan.Lane;
import io.spillway.training.plan.Timeline;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// One platform thread for each lane. A task enters its lane's queue when everything it waits for
/// has happened; the lane takes the ready task of the smallest priority. Tasks of different lanes
/// run at once.
public final class Lanes implements AutoCloseable {
  private final Map<Lane, Worker> workers = new EnumMap<>(Lane.class);
  private final ExecutorService watcher =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("lane-marks").factory());
  private final AtomicLong sequence = new AtomicLong();
  private final long originNs = System.nanoTime();
  private volatile @Nullable Timeline timeline;
  private volatile ToLongFunction<Lane> delayNs = lane -> 0;

  public Lanes() {
    for (Lane lane : Lane.values()) {
      if (lane != Lane.COMPUTE) {
        workers.put(lane, new Worker(lane));
      }
    }
  }

  /// Records spans into `target` from now on, or no longer with null.
  public void record(@Nullable Timeline target) {
    timeline = target;
  }

  /// Seconds on the clock of the timeline.
  public double now() {
    return (System.nanoTime() - originNs) / 1e9;
  }

  /// Delays each task by what `delay` says of its lane, in nanoseconds; for tests of the ordering.
  public void delay(ToLongFunction<Lane> delay) {
    delayNs = delay;
  }

  /// Queues `work` behind `dependencies`.
  ///
  /// @return the signal that is given when the work has ended
  public Signal submit(
      Lane lane,
      long priority,
      int step,
      String label,
      Collection<Signal> dependencies,
      Runnable work) {
    Worker worker = workers.get(lane);
    if (worker == null) {
      throw new IllegalArgumentException("lane " + lane + " has no thread of its own");
    }
    Item item = new Item(priority, sequence.getAndIncrement(), step, label, work, new Signal());
    AtomicInteger missing = new AtomicInteger(dependencies.size() + 1);
    Runnable arrive =
        () -> {
          if (missing.decrementAndGet() == 0) {
            worker.queue.add(item);
          }
        };
    for (Signal dependency : dependencies) {
      dependency.whenDone(failure -> {
        if (failure != null) {
          item.done.fail(failure);
        }
        arrive.run();
      });
    }
    arrive.run();
    return item.done;
  }

  /// Gives `signals` once the device has come past `mark`. Marks are waited for in the order of the
  /// calls, on a thread of their own.
  public void whenReached(Device.Mark mark, Collection<Signal> signals) {
    if (mark.isReached()) {
      mark.await();
      signals.forEach(Signal::give);
      return;
    }
    watcher.execute(() -> {
      try {
        mark.await();
        signals.forEach(Signal::give);
      } catch (Throwable e) {
        signals.forEach(s -> s.fail(e));
      }
    });
  }

  private record Item(
      long priority, long sequence, int step, String label, Runnable work, Signal done) {}

  private final class Worker {
    final Lane lane;
    final PriorityBlockingQueue<Item> queue =
        new PriorityBlockingQueue<>(
            64, Comparator.comparingLong(Item::priority).thenComparingLong(Item::sequence));
    final Thread thread;

    Worker(Lane lane) {
      this.lane = lane;
      thread = Thread.ofPlatform().daemon().name("lane-" + lane).start(this::loop);
    }

    private void loop() {
      while (!Thread.currentThread().isInterrupted()) {
        Item item;
        try {
          item = queue.take();
        } catch (InterruptedException e) {
          return;
        }
        run(item);
      }
    }

    private void run(Item item) {
      if (item.done.isGiven()) {
        return; // something it waited for failed
      }
      try {
        long pause = delayNs.applyAsLong(lane);
        if (pause > 0) {
          LockSupport.parkNanos(pause);
        }
        double begin = now();
        item.work.run();
        Timeline into = timeline;
        if (into != null) {
          into.add(lane, item.label, item.step, begin, now());
        }
        item.done.give();
      } catch (Throwable e) {
        item.done.fail(e);
      }
    }
  }

  @Override
  public void close() {
    watcher.shutdown();
    workers.values().forEach(w -> w.thread.interrupt());
    for (Worker w : workers.values()) {
      try {
        w.thread.join(5000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
