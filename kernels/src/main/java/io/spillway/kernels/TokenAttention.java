package io.spillway.kernels;

/// Softmax attention of one token over cached keys and values, scores and sums in single precision.
/// As many query heads as there are to each key-value head share its keys and values.
public interface TokenAttention {
  /// `out[h] = Σ softmax(query[h] · keys / √dim) · values`.
  ///
  /// @param query one token; a multiple of the key-value heads
  /// @param keys cached
  /// @param values of the shape of `keys`
  /// @param out of the shape of `query`, written
  void attend(Heads query, Heads keys, Heads values, Heads out);

  /// **Errors:** [IllegalArgumentException] for shapes that differ.
  static void check(Heads query, Heads keys, Heads values, Heads out) {
    LayerMath.require(query.fits(out) && query.tokens() == 1, query, out);
    LayerMath.require(keys.fits(values), keys, values);
    LayerMath.require(keys.dim() == query.dim() && query.heads() % keys.heads() == 0, query, keys);
  }
}
