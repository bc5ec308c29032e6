package io.spillway.tensor;

import java.util.function.Supplier;
import org.bytedeco.pytorch.GradMode;

/// Switches gradient recording off on this thread until it is closed, then back to what it was.
///
/// ```java
/// try (NoGrad _ = NoGrad.begin()) { ... }
/// ```
public final class NoGrad implements AutoCloseable {
  private final boolean before;
  private final Thread owner = Thread.currentThread();

  private NoGrad() {
    Torch.load();
    before = GradMode.is_enabled();
    GradMode.set_enabled(false);
  }

  public static NoGrad begin() {
    return new NoGrad();
  }

  /// Runs `body` without recording gradients.
  public static <T> T supply(Supplier<T> body) {
    try (NoGrad guard = new NoGrad()) {
      assert guard.owner == Thread.currentThread();
      return body.get();
    }
  }

  @Override
  public void close() {
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException(
          "NoGrad began on thread " + owner.getName() + " and must end there");
    }
    GradMode.set_enabled(before);
  }
}
