package io.spillway.kernels;

import java.lang.foreign.MemorySegment;

/// A matrix of bfloat16 numbers times a vector in single precision, the product that writes one
/// token: every weight is read once, so memory bandwidth is its limit.
public interface MatrixVector {
  /// `y = matrix · x`.
  ///
  /// @param matrix bf16, row by row, `rows · columns` numbers
  /// @param x `columns` floats
  /// @param y `rows` floats, written **Errors:** [IndexOutOfBoundsException] for segments that are
  ///   too short.
  void multiply(MemorySegment matrix, int rows, int columns, MemorySegment x, MemorySegment y);
}
