package io.spillway.training.engine;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// An event that happens once: a task ended, a gradient is final. A failed signal passes its cause
/// to whoever waits.
public final class Signal {
  private final CompletableFuture<@Nullable Void> future = new CompletableFuture<>();

  /// A signal that has been given already.
  public static Signal given() {
    Signal s = new Signal();
    s.give();
    return s;
  }

  /// Gives the signal; later calls do nothing.
  public void give() {
    future.complete(null);
  }

  /// Fails everybody who waits.
  public void fail(Throwable cause) {
    future.completeExceptionally(cause);
  }

  public boolean isGiven() {
    return future.isDone();
  }

  /// Runs `action` once the signal is given or failed; at once if it was.
  void whenDone(java.util.function.Consumer<@Nullable Throwable> action) {
    future.whenComplete((_, e) -> action.accept(e));
  }

  /// Waits until the signal is given.
  ///
  /// **Errors:** the cause, when the task behind it failed.
  public void await() {
    try {
      future.join();
    } catch (CompletionException | CancellationException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      if (cause instanceof RuntimeException r) {
        throw r;
      }
      throw new IllegalStateException(cause);
    }
  }
}
