package io.spillway.tensor.group;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Work;
import org.jspecify.annotations.Nullable;

/// An operation that has begun. Its tensors must not be touched before [#await] returns; every
/// `Pending` must be awaited exactly by the code that began it.
public final class Pending {
  private final ProcessGroup group;
  private final String what;
  private @Nullable Work work;
  private final Runnable whenDone;
  private final Tensor[] alive;

  Pending(ProcessGroup group, String what, Work work, Runnable whenDone, Tensor... alive) {
    this.group = group;
    this.what = what;
    this.work = work.retainReference();
    this.whenDone = whenDone;
    this.alive = alive;
    for (Tensor t : alive) {
      t.retainReference();
    }
  }

  /// Waits for the end.
  ///
  /// **Errors:** a lost peer or the timeout as [io.spillway.platform.ErrorCode#NOT_AVAILABLE], with
  /// rank, operation and what to look at.
  public void await() {
    Work w = work;
    if (w == null) {
      return;
    }
    work = null;
    try {
      w._wait();
      whenDone.run();
    } catch (RuntimeException e) {
      throw group.explain(what, e);
    } finally {
      w.releaseReference();
      for (Tensor t : alive) {
        t.releaseReference();
      }
    }
  }
}
