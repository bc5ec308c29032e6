package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// A matrix of bfloat16 numbers times a vector in single precision, the product that writes one
/// token: every weight is read once, so memory bandwidth is its limit.
public interface MatrixVector {
  /// One of several products with the same vector.
  ///
  /// @param matrix bf16, row by row, `rows · columns` numbers
  /// @param rows of the matrix
  /// @param y `rows` floats, written
  record Factor(MemorySegment matrix, int rows, MemorySegment y) {}

  /// `y = matrix · x` for each of `factors`, which share the threads as one piece of work.
  ///
  /// @param columns of every matrix
  /// @param x `columns` floats **Errors:** [IndexOutOfBoundsException] for segments that are too
  ///   short.
  void multiply(List<Factor> factors, int columns, MemorySegment x);

  /// `y = matrix · x`.
  default void multiply(
      MemorySegment matrix, int rows, int columns, MemorySegment x, MemorySegment y) {
    multiply(List.of(new Factor(matrix, rows, y)), columns, x);
  }
}
