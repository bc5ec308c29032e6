package io.spillway.longcontext;

import io.spillway.platform.SpillwayException;
import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/// Makes the items of coming steps on other threads while the present step computes, and hands them
/// out in order.
public final class Ahead<T> implements AutoCloseable {
  private final ArrayDeque<Future<T>> queue = new ArrayDeque<>();
  private final ExecutorService threads;
  private final int depth;
  private final Supplier<Callable<T>> orders;

  /// @param threads producers
  /// @param depth items in the making or waiting
  /// @param orders gives the next item's work; called on the consumer's thread, so that what an
  ///   item depends on is the same in every run
  public Ahead(int threads, int depth, Supplier<Callable<T>> orders) {
    this.threads =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("ahead-", 0).factory());
    this.depth = depth;
    this.orders = orders;
  }

  /// The next item; waits until it is made.
  public T next() {
    while (queue.size() < depth) {
      queue.add(threads.submit(orders.get()));
    }
    try {
      return queue.remove().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SpillwayException known) {
        throw known;
      }
      throw new IllegalStateException("a step's data could not be made", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while data were made", e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
