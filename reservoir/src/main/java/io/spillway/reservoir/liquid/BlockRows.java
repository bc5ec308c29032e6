package io.spillway.reservoir.liquid;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A matrix as blocks of sixteen columns; blocks without a connection are left out. Each block
/// keeps its weights and, beside them, the variances of reading.
///
/// Two orders of work give the same sums: [#add] adds one row after the other, [#drive] takes one
/// block of columns after the other over a whole recording, so that its weights stay in the cache
/// and its sums in registers.
final class BlockRows {
  static final int WIDTH = 16;
  private static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.length() > WIDTH
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private final int[] start; // [rows + 1] into place
  private final int[] place; // where a block of a row lies in data, in blocks
  private final int[] block; // which block of columns it belongs to
  private final float[] data;
  private final int stride;
  private final int blocks;
  private final boolean full;

  private BlockRows(
      int[] start, int[] place, int[] block, float[] data, int stride, int blocks, boolean full) {
    this.start = start;
    this.place = place;
    this.block = block;
    this.data = data;
    this.stride = stride;
    this.blocks = blocks;
    this.full = full;
  }

  /// One number of the matrix.
  @FunctionalInterface
  interface Cell {
    float at(int row, int column);
  }

  /// @param noisy whether variances are kept
  static BlockRows of(int rows, int columns, Cell weight, Cell variance, boolean noisy) {
    int stride = noisy ? 2 * WIDTH : WIDTH;
    int blocks = (columns + WIDTH - 1) / WIDTH;
    boolean[] connected = new boolean[rows * blocks];
    int[] start = new int[rows + 1];
    for (int i = 0; i < rows; i++) {
      start[i + 1] = start[i];
      for (int j = 0; j < columns; j++) {
        if (weight.at(i, j) != 0 && !connected[i * blocks + j / WIDTH]) {
          connected[i * blocks + j / WIDTH] = true;
          start[i + 1]++;
        }
      }
    }
    int size = start[rows];
    int[] place = new int[size];
    int[] block = new int[size];
    float[] data = new float[Math.multiplyExact(size, stride)];
    boolean full = size == rows * blocks;
    int at = 0;
    for (int i = 0; i < rows; i++) {
      for (int b = 0; b < blocks; b++) {
        if (!connected[i * blocks + b]) {
          continue;
        }
        int to = full ? b * rows + i : at;
        int width = Math.min(WIDTH, columns - b * WIDTH);
        for (int k = 0; k < width; k++) {
          data[to * stride + k] = weight.at(i, b * WIDTH + k);
          if (noisy) {
            data[to * stride + WIDTH + k] = variance.at(i, b * WIDTH + k);
          }
        }
        block[at] = b;
        place[at++] = to;
      }
    }
    return new BlockRows(start, place, block, data, stride, blocks, full);
  }

  /// Blocks of one row: its cost.
  int blocks(int row) {
    return start[row + 1] - start[row];
  }

  /// Adds one row to `sum` from `offset` on, and its variances to `variance` if they are kept.
  void add(int row, float[] sum, float[] variance, int offset) {
    int end = start[row + 1];
    for (int b = start[row]; b < end; b++) {
      int at = place[b] * stride;
      int column = offset + block[b] * WIDTH;
      addSixteen(sum, column, at);
      if (stride != WIDTH) {
        addSixteen(variance, column, at + WIDTH);
      }
    }
  }

  private void addSixteen(float[] into, int column, int at) {
    for (int k = 0; k < WIDTH; k += LANES) {
      FloatVector.fromArray(SPECIES, into, column + k)
          .add(FloatVector.fromArray(SPECIES, data, at + k))
          .intoArray(into, column + k);
    }
  }

  /// Adds every step of a recording: step `t` to the row `t` of `sum` and `variance`, both `[steps
  /// * padded]`.
  void drive(SpikeFrames frames, float[] sum, float[] variance, int padded) {
    if (!full) {
      for (int t = 0; t < frames.steps(); t++) {
        for (int k = frames.start(t); k < frames.start(t + 1); k++) {
          add(frames.input(k), sum, variance, t * padded);
        }
      }
      return;
    }
    int[] list = new int[frames.size() + frames.steps()];
    int rows = start.length - 1;
    for (int b = 0; b < blocks; b++) {
      int size = 0;
      for (int t = 0; t < frames.steps(); t++) {
        if (frames.start(t) == frames.start(t + 1)) {
          continue;
        }
        list[size++] = -1 - t;
        for (int k = frames.start(t); k < frames.start(t + 1); k++) {
          list[size++] = b * rows + frames.input(k);
        }
      }
      run(list, 0, size, b, sum, variance, padded);
    }
  }

  private void run(int[] list, int from, int to, int b, float[] sum, float[] variance, int padded) {
    int i = from;
    while (i < to) {
      int into = (-1 - list[i++]) * padded + b * WIDTH;
      int end = i;
      while (end < to && list[end] >= 0) {
        end++;
      }
      for (int k = 0; k < WIDTH; k += LANES) {
        column(list, i, end, k, sum, into + k);
        if (stride != WIDTH) {
          column(list, i, end, WIDTH + k, variance, into + k);
        }
      }
      i = end;
    }
  }

  private void column(int[] list, int from, int to, int shift, float[] into, int at) {
    FloatVector total = FloatVector.zero(SPECIES);
    for (int i = from; i < to; i++) {
      total = total.add(FloatVector.fromArray(SPECIES, data, list[i] * stride + shift));
    }
    total.intoArray(into, at);
  }
}
