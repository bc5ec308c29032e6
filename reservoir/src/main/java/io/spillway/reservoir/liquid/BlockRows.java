package io.spillway.reservoir.liquid;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A matrix as rows of blocks of sixteen columns; blocks without a connection are left out. Each
/// block keeps its weights and, beside them, the variances of reading.
final class BlockRows {
  static final int WIDTH = 16;
  private static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.length() > WIDTH
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private final int[] start;
  private final int[] column;
  private final float[] data;
  private final int stride;

  private BlockRows(int[] start, int[] column, float[] data, int stride) {
    this.start = start;
    this.column = column;
    this.data = data;
    this.stride = stride;
  }

  /// One number of the matrix.
  @FunctionalInterface
  interface Cell {
    float at(int row, int column);
  }

  /// @param noisy whether variances are kept
  static BlockRows of(int rows, int columns, Cell weight, Cell variance, boolean noisy) {
    int stride = noisy ? 2 * WIDTH : WIDTH;
    int[] start = new int[rows + 1];
    int[] column = new int[64];
    float[] data = new float[64 * stride];
    float[] block = new float[stride];
    int size = 0;
    for (int i = 0; i < rows; i++) {
      for (int from = 0; from < columns; from += WIDTH) {
        boolean any = false;
        Arrays.fill(block, 0);
        for (int k = 0; k < WIDTH && from + k < columns; k++) {
          block[k] = weight.at(i, from + k);
          any |= block[k] != 0;
          if (noisy) {
            block[WIDTH + k] = variance.at(i, from + k);
          }
        }
        if (!any) {
          continue;
        }
        if (size == column.length) {
          column = Arrays.copyOf(column, 2 * size);
          data = Arrays.copyOf(data, Math.multiplyExact(2 * size, stride));
        }
        System.arraycopy(block, 0, data, size * stride, stride);
        column[size++] = from;
      }
      start[i + 1] = size;
    }
    return new BlockRows(
        start, Arrays.copyOf(column, size), Arrays.copyOf(data, size * stride), stride);
  }

  /// Blocks of one row: its cost.
  int blocks(int row) {
    return start[row + 1] - start[row];
  }

  /// Adds one row to `sum`, and its variances to `variance` if they are kept.
  void add(int row, float[] sum, float[] variance) {
    int end = start[row + 1];
    if (stride == WIDTH) {
      for (int b = start[row]; b < end; b++) {
        addSixteen(sum, column[b], b * WIDTH);
      }
      return;
    }
    for (int b = start[row]; b < end; b++) {
      int at = b * stride;
      addSixteen(sum, column[b], at);
      addSixteen(variance, column[b], at + WIDTH);
    }
  }

  private void addSixteen(float[] into, int column, int at) {
    for (int k = 0; k < WIDTH; k += LANES) {
      FloatVector.fromArray(SPECIES, into, column + k)
          .add(FloatVector.fromArray(SPECIES, data, at + k))
          .intoArray(into, column + k);
    }
  }
}
