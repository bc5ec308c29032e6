package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Cooperation;
import org.bytedeco.pytorch.Tensor;

/// A rank's part in one strategy over the steps of one image.
abstract class RankCooperation implements Cooperation, AutoCloseable {
  /// Begins a step.
  ///
  /// @param synchronous whether every exchange of this step is waited for
  /// @param last whether no step follows, so that nothing needs to be sent for one
  void begin(boolean synchronous, boolean last) {}

  /// Whether a displaced step is the same kernels on the same memory each time, so that they can be
  /// recorded: nothing within is waited for, and nothing depends on the step's number.
  boolean recordable() {
    return false;
  }

  /// From now on displaced steps do what a recording of them needs; called before a step.
  void record() {}

  /// The whole prediction from the strips of all ranks.
  ///
  /// **Shapes:** [batch, channels, own rows, columns] -> [batch, channels, rows, columns].
  abstract Tensor gather(Tensor own);

  /// Bytes of exchange buffers that this rank keeps.
  long bufferBytes() {
    return 0;
  }

  /// Waits for every exchange that is still under way.
  void drain() {}

  @Override
  public void close() {}
}
