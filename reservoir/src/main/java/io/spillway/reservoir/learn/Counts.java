package io.spillway.reservoir.learn;

import java.nio.ByteBuffer;

/// Spike counts of many recordings in one byte each; counts above 255 stay at 255.
///
/// **Shapes:** `[size][width]`.
public final class Counts {
  private final byte[][] rows;
  private final int width;

  public Counts(int size, int width) {
    this.rows = new byte[size][width];
    this.width = width;
  }

  /// A table of the given rows.
  public static Counts of(float[][] rows) {
    Counts out = new Counts(rows.length, rows.length == 0 ? 0 : rows[0].length);
    for (int i = 0; i < rows.length; i++) {
      out.set(i, rows[i]);
    }
    return out;
  }

  /// The rows of both, those of `first` in front, sharing their memory.
  public static Counts join(Counts first, Counts second) {
    if (first.width != second.width) {
      throw new IllegalArgumentException(first.width + " and " + second.width + " columns");
    }
    Counts out = new Counts(0, first.width, first.size() + second.size());
    System.arraycopy(first.rows, 0, out.rows, 0, first.size());
    System.arraycopy(second.rows, 0, out.rows, first.size(), second.size());
    return out;
  }

  public int size() {
    return rows.length;
  }

  public int width() {
    return width;
  }

  public void set(int i, float[] counts) {
    for (int j = 0; j < width; j++) {
      rows[i][j] = (byte) Math.min(255, Math.round(counts[j]));
    }
  }

  public int at(int i, int j) {
    return rows[i][j] & 255;
  }

  /// Copies row `i` as numbers.
  public void copy(int i, float[] into) {
    byte[] row = rows[i];
    for (int j = 0; j < width; j++) {
      into[j] = row[j] & 255;
    }
  }

  /// Puts row `i` as bytes.
  public void write(int i, ByteBuffer into) {
    into.put(rows[i]);
  }

  /// Takes row `i` from bytes that [#write] put.
  public void read(int i, ByteBuffer from) {
    from.get(rows[i]);
  }

  /// The rows named, in that order, sharing their memory.
  public Counts select(int[] which) {
    Counts out = new Counts(0, width, which.length);
    for (int i = 0; i < which.length; i++) {
      out.rows[i] = rows[which[i]];
    }
    return out;
  }

  private Counts(int unused, int width, int size) {
    this.rows = new byte[size][];
    this.width = width;
  }
}
