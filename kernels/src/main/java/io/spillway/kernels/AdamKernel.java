package io.spillway.kernels;

/// One fused pass of Adam over a range of parameters: gradient in, unscale, clip, update, rounded
/// weight out. Every implementation gives the same bits as [ScalarAdam], whatever range it is
/// called with.
public interface AdamKernel {
  /// Updates the parameters `from` (inclusive) to `to` (exclusive).
  void update(AdamStep step, AdamBuffers buffers, long from, long to);

  /// Updates all parameters of `buffers`.
  default void update(AdamStep step, AdamBuffers buffers) {
    update(step, buffers, 0, buffers.size());
  }
}
