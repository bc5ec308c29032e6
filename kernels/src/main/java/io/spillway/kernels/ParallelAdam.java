package io.spillway.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Adam on several threads: the range is cut into one contiguous piece a thread. As each parameter
/// is updated by itself, the cut does not change a bit of the result.
public final class ParallelAdam implements AdamKernel, AutoCloseable {
  /// Pieces start at multiples of this, so that no two threads write one cache line.
  private static final long ALIGNMENT = 64;

  private final AdamKernel kernel = new VectorAdam();
  private final int threads;
  private final ExecutorService helpers;

  /// @param threads how many threads update, the calling one among them
  public ParallelAdam(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads");
    }
    this.threads = threads;
    helpers =
        Executors.newFixedThreadPool(
            Math.max(1, threads - 1), Thread.ofPlatform().daemon().name("adam-", 0).factory());
  }

  public int threads() {
    return threads;
  }

  @Override
  public void update(AdamStep step, AdamBuffers buffers, long from, long to) {
    long n = to - from;
    if (threads == 1 || n < 4 * ALIGNMENT * threads) {
      kernel.update(step, buffers, from, to);
      return;
    }
    long piece = (n / threads + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    List<Future<?>> parts = new ArrayList<>();
    for (int t = 1; t < threads; t++) {
      long begin = Math.min(to, from + t * piece);
      long end = t == threads - 1 ? to : Math.min(to, begin + piece);
      parts.add(helpers.submit(() -> kernel.update(step, buffers, begin, end)));
    }
    kernel.update(step, buffers, from, Math.min(to, from + piece));
    for (Future<?> part : parts) {
      await(part);
    }
  }

  private static void await(Future<?> part) {
    boolean interrupted = false;
    while (true) {
      try {
        part.get();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        throw new IllegalStateException("an Adam thread failed", e.getCause());
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    helpers.shutdown();
  }
}
