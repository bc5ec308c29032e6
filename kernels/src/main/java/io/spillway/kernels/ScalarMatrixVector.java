package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// The product number by number, summed in double precision: what [VectorMatrixVector] is checked
/// against.
public final class ScalarMatrixVector implements MatrixVector {
  @Override
  public void multiply(List<Factor> factors, int columns, MemorySegment x) {
    for (Factor factor : factors) {
      for (int row = 0; row < factor.rows(); row++) {
        double sum = 0;
        for (int column = 0; column < columns; column++) {
          sum +=
              (double) Precision.BF16.get(factor.matrix(), (long) row * columns + column)
                  * x.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, column);
        }
        factor.y().setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, row, (float) sum);
      }
    }
  }
}
