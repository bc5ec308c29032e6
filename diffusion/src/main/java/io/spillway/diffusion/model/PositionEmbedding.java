package io.spillway.diffusion.model;

/// The fixed two-dimensional sine-cosine embedding of token positions.
///
/// **Source:** diffusers' `get_2d_sincos_pos_embed`: the first half of the width encodes the
/// column, the second half the row; each half holds sines, then cosines.
final class PositionEmbedding {
  private PositionEmbedding() {}

  /// **Shapes:** the result is [rows x columns, width], row by row.
  ///
  /// @param baseRows the rows of the size that the model was trained at
  static float[] table(int rows, int columns, int width, int baseRows, double scale) {
    float[] table = new float[rows * columns * width];
    int quarter = width / 4;
    for (int r = 0; r < rows; r++) {
      double y = r / ((double) rows / baseRows) / scale;
      for (int c = 0; c < columns; c++) {
        double x = c / ((double) columns / baseRows) / scale;
        int at = (r * columns + c) * width;
        for (int i = 0; i < quarter; i++) {
          double frequency = Math.pow(10000, -(double) i / quarter);
          table[at + i] = (float) Math.sin(x * frequency);
          table[at + quarter + i] = (float) Math.cos(x * frequency);
          table[at + 2 * quarter + i] = (float) Math.sin(y * frequency);
          table[at + 3 * quarter + i] = (float) Math.cos(y * frequency);
        }
      }
    }
    return table;
  }
}
