package io.spillway.sweep;

import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Runs points on threads of this process.
public final class LocalSweepExecutor implements SweepExecutor {
  private final int threads;

  /// @param threads points at once, 1 or more
  public LocalSweepExecutor(int threads) {
    if (threads < 1 || threads > 1024) {
      throw SpillwayException.badInput("%d threads, between 1 and 1024 are sensible", threads);
    }
    this.threads = threads;
  }

  @Override
  public void run(List<SweepPoint> points, SweepTask task, Listener listener) {
    Object lock = new Object();
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> futures = new ArrayList<>();
      for (SweepPoint point : points) {
        futures.add(pool.submit(() -> one(point, task, listener, lock)));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the sweep was interrupted", e);
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IllegalStateException("a sweep listener failed", e.getCause());
    }
  }

  private static void one(SweepPoint point, SweepTask task, Listener listener, Object lock) {
    try {
      String json = task.run(point);
      synchronized (lock) {
        listener.finished(point, json);
      }
    } catch (Exception | StackOverflowError | OutOfMemoryError e) {
      String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      synchronized (lock) {
        listener.failed(point, message);
      }
    }
  }
}
