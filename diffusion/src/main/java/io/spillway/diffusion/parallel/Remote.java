package io.spillway.diffusion.parallel;

import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What the other ranks computed in one layer: the last values that arrived, the exchange under
/// way, and for extrapolation the values before the last.
///
/// In each displaced step a layer takes [#stale], makes of it what it needs, and then [#start]s the
/// exchange of its own fresh values, which overlaps with the rest of the step. Every step receives:
/// nothing here can freeze.
abstract class Remote {
  private final TensorHolder holder;
  private final boolean extrapolate;
  private @Nullable Tensor latest;
  private @Nullable Tensor older;
  private Exchange.@Nullable Pending pending;
  private int arrived;

  Remote(TensorHolder holder, boolean extrapolate) {
    this.holder = holder;
    this.extrapolate = extrapolate;
  }

  /// Begins to send the own values and to receive the others' into `into`.
  abstract Exchange.Pending launch(Tensor fresh, Tensor into);

  /// A buffer for what arrives, made once.
  abstract Tensor buffer(Tensor fresh);

  /// The others' values of this very step; waits for them.
  Tensor fresh(Tensor own) {
    start(own);
    finish();
    return java.util.Objects.requireNonNull(latest);
  }

  /// The others' values of the step before, or their continuation into this one.
  Tensor stale() {
    finish();
    Tensor last = latest;
    if (last == null) {
      throw new IllegalStateException("a displaced step came before any synchronous one");
    }
    Tensor before = older;
    if (extrapolate && arrived >= 2 && before != null) {
      return last.mul(new Scalar(2.0)).sub(before);
    }
    return last;
  }

  /// Begins the exchange for the next step. The values that [#stale] handed out may be overwritten
  /// from now on.
  void start(Tensor own) {
    finish();
    pending = launch(own, target(own));
  }

  /// Puts values that came another way in the place of an arrival.
  void put(Tensor own, java.util.function.Consumer<Tensor> fill) {
    finish();
    fill.accept(target(own));
    pending = Exchange.Pending.DONE;
    finish();
  }

  private Tensor target(Tensor own) {
    if (extrapolate) {
      Tensor free = older;
      if (free == null) {
        free = make(own);
        older = free;
      }
      return free;
    }
    Tensor only = latest;
    if (only == null) {
      only = make(own);
      latest = only;
    }
    return only;
  }

  private Tensor make(Tensor own) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      return holder.hold(buffer(own));
    }
  }

  /// Waits for the exchange under way, if any.
  void finish() {
    Exchange.Pending under = pending;
    if (under == null) {
      return;
    }
    under.await();
    pending = null;
    arrived++;
    if (extrapolate) {
      Tensor swap = latest;
      latest = older;
      older = swap;
    }
  }

  /// Bytes of the buffers.
  long bytes() {
    long bytes = 0;
    for (Tensor t : new Tensor[] {latest, older}) {
      bytes += t == null ? 0 : t.numel() * t.element_size();
    }
    return bytes;
  }

  /// How many exchanges have arrived.
  int arrivals() {
    return arrived;
  }
}
