package io.spillway.tensor;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// A confined lifetime of tensors: everything libtorch hands out on this thread while the scope is
/// the innermost one is released when it closes, except what [#keep] passed to the scope around it.
///
/// ```java
/// try (TensorScope scope = TensorScope.open()) {
///   Tensor scores = torch.matmul(q, k.transpose(-2, -1));
///   return scope.keep(torch.softmax(scores, -1));
/// }
/// ```
///
/// One scope a layer or a step, not one an operation: opening and closing costs 5-6 µs. Memory that
/// must outlive every scope (weights, caches) belongs to a [TensorHolder]. The garbage collector
/// does not see native memory, so a tensor made outside any scope lives until somebody closes it.
///
/// **Errors:** [IllegalStateException] when used from another thread, closed out of order, or
/// opened on a virtual thread.
public final class TensorScope implements AutoCloseable {
  static {
    Torch.load();
  }

  private static final ThreadLocal<@Nullable TensorScope> INNERMOST = new ThreadLocal<>();

  private final Thread owner = Thread.currentThread();
  private final @Nullable TensorScope parent;
  private final PointerScope pointers;
  private boolean closed;

  private TensorScope(@Nullable TensorScope parent) {
    this.parent = parent;
    this.pointers = new PointerScope();
  }

  /// Opens a scope inside the innermost one of this thread.
  public static TensorScope open() {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException(
          "libtorch must not run on a virtual thread, its guards are thread-local; use a platform"
              + " thread for each device");
    }
    TensorScope scope = new TensorScope(INNERMOST.get());
    INNERMOST.set(scope);
    return scope;
  }

  /// Runs `body` in a scope of its own and keeps only its result.
  public static Tensor compute(Supplier<Tensor> body) {
    try (TensorScope scope = open()) {
      return scope.keep(body.get());
    }
  }

  /// Runs `body` in a scope of its own and keeps only the tensors of its result.
  public static List<Tensor> computeAll(Supplier<? extends Collection<Tensor>> body) {
    try (TensorScope scope = open()) {
      List<Tensor> results = new ArrayList<>();
      for (Tensor t : body.get()) {
        results.add(scope.keep(t));
      }
      return results;
    }
  }

  /// Runs `body` in a scope of its own and keeps nothing.
  public static void run(Runnable body) {
    try (TensorScope scope = open()) {
      scope.check();
      body.run();
    }
  }

  /// Passes `t` to the scope around this one, which releases it when it closes itself. Without a
  /// scope around, the caller owns `t` and must close it or give it to a [TensorHolder].
  public <T extends Pointer> T keep(T t) {
    check();
    if (parent != null) {
      parent.pointers.attach(t);
    } else {
      pointers.detach(t.retainReference());
      // one reference is left, which belongs to the caller; this scope's stack no longer knows t
    }
    return t;
  }

  /// Takes a pointer that was made elsewhere into this scope, to be released when it closes.
  public <T extends Pointer> T adopt(T t) {
    check();
    pointers.attach(t);
    return t;
  }

  void check() {
    if (closed) {
      throw new IllegalStateException("this TensorScope is closed");
    }
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException(
          "a TensorScope of thread " + owner.getName() + " was used on another thread");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    check();
    if (INNERMOST.get() != this) {
      throw new IllegalStateException("close the inner TensorScope first");
    }
    closed = true;
    if (parent == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(parent);
    }
    pointers.close();
  }
}
