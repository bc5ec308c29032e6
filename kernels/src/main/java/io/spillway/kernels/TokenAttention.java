package io.spillway.kernels;

import java.lang.foreign.MemorySegment;

/// Softmax attention of one token over cached keys and values, scores and sums in single precision.
/// As many query heads as there are to each key-value head share its keys and values.
public interface TokenAttention {
  /// `out[h] = Σ softmax(query[h] · keys / √dim) · values`.
  ///
  /// @param query `heads · dim` floats, head by head
  /// @param heads a multiple of the key-value heads
  /// @param keys bf16
  /// @param values bf16, of the shape of `keys`
  /// @param out `heads · dim` floats, written
  void attend(MemorySegment query, int heads, Heads keys, Heads values, MemorySegment out);
}
