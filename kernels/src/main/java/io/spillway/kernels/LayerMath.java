package io.spillway.kernels;

/// What a decoder layer does beside its products, row by row: memory is read and written once,
/// where operators for whole tensors pass over it for each operation.
public interface LayerMath {
  /// `out = in / sqrt(mean(in²) + epsilon) · weight` for each token of each head.
  ///
  /// @param weight one row
  void rmsNorm(Heads in, Heads weight, double epsilon, Heads out);

  /// `out = gate / (1 + exp(-gate)) · up`.
  void gate(Heads gate, Heads up, Heads out);

  /// `out = a + b`.
  void add(Heads a, Heads b, Heads out);

  /// Turns pairs of components: `out[i] = in[i] · cos[i] - in[i + half] · sin[i]` and `out[i +
  /// half] = in[i + half] · cos[i] + in[i] · sin[i]`, the same for every head; components from
  /// twice `cosines.dim` on stay.
  ///
  /// @param cosines of half as many components as turn, one row for each token
  /// @param sines as `cosines`
  void rotate(Heads in, Heads cosines, Heads sines, Heads out);

  /// **Errors:** [IllegalArgumentException] for shapes that differ.
  static void require(boolean fits, Heads a, Heads b) {
    if (!fits) {
      throw new IllegalArgumentException("shapes do not fit: " + shape(a) + " and " + shape(b));
    }
  }

  private static String shape(Heads a) {
    return a.heads() + " x " + a.tokens() + " x " + a.dim();
  }
}
