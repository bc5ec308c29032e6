package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The product number by number, summed in double precision: what [VectorMatrixVector] is checked
/// against.
public final class ScalarMatrixVector implements MatrixVector {
  @Override
  public void multiply(
      MemorySegment matrix, int rows, int columns, MemorySegment x, MemorySegment y) {
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (int column = 0; column < columns; column++) {
        short bits =
            matrix.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, (long) row * columns + column);
        sum +=
            (double) Float.intBitsToFloat(bits << 16)
                * x.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, column);
      }
      y.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, row, (float) sum);
    }
  }
}
