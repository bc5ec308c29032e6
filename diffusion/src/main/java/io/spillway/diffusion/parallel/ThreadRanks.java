package io.spillway.diffusion.parallel;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Runs the ranks of one job as platform threads of this process, one each.
public final class ThreadRanks {
  private ThreadRanks() {}

  /// The work of one rank.
  @FunctionalInterface
  public interface Work<T> {
    T run(Exchange exchange) throws Exception;
  }

  /// Runs `work` on `size` ranks and returns their results in order.
  ///
  /// **Errors:** the failure of the rank that died first; the others end with it.
  public static <T> List<T> run(int size, Work<T> work) {
    ThreadExchange.Post post = new ThreadExchange.Post();
    List<ThreadExchange> exchanges = ThreadExchange.ranks(size, post);
    List<AtomicReference<@Nullable T>> results = new ArrayList<>();
    AtomicReference<@Nullable Throwable> first = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (ThreadExchange exchange : exchanges) {
      AtomicReference<@Nullable T> result = new AtomicReference<>();
      results.add(result);
      threads.add(
          Thread.ofPlatform()
              .name("rank-" + exchange.rank())
              .start(() -> {
                try {
                  result.set(work.run(exchange));
                } catch (Throwable e) {
                  first.compareAndSet(null, e);
                  exchange.fail(e);
                }
              }));
    }
    try {
      for (Thread t : threads) {
        t.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchanges.getFirst().fail(e);
      throw new SpillwayException(ErrorCode.INTERRUPTED, "interrupted while ranks worked", e);
    }
    Throwable failure = first.get();
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    if (failure != null) {
      throw new IllegalStateException("a rank failed: " + failure, failure);
    }
    return results.stream().map(r -> java.util.Objects.requireNonNull(r.get())).toList();
  }
}
