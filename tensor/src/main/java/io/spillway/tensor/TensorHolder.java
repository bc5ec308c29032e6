package io.spillway.tensor;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;

/// The owner of tensors that outlive every [TensorScope]: the weights of a model, an optimizer's
/// state, a cache. Closing it releases them all.
///
/// A holder may be used from several threads; the tensors in it obey libtorch's own rules.
public final class TensorHolder implements AutoCloseable {
  private final Set<Pointer> held = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  /// Holds `t` beyond the scope it was made in; holding it twice is the same as once.
  public synchronized <T extends Pointer> T hold(T t) {
    if (closed) {
      throw new IllegalStateException("this TensorHolder is closed");
    }
    if (held.add(t)) {
      t.retainReference();
    }
    return t;
  }

  /// Releases one tensor before the others.
  ///
  /// **Errors:** [IllegalArgumentException] when this holder does not hold `t`.
  public synchronized void release(Pointer t) {
    if (!held.remove(t)) {
      throw new IllegalArgumentException("the tensor is not held here");
    }
    t.releaseReference();
  }

  /// Holds `fresh` and releases `old`; returns `fresh`.
  public synchronized Tensor replace(Tensor old, Tensor fresh) {
    if (old == fresh) {
      return fresh;
    }
    hold(fresh);
    release(old);
    return fresh;
  }

  /// How many pointers are held now.
  public synchronized int size() {
    return held.size();
  }

  @Override
  public synchronized void close() {
    closed = true;
    held.forEach(Pointer::releaseReference);
    held.clear();
  }
}
