package io.spillway.longcontext.cache;

import org.bytedeco.pytorch.Tensor;

/// The keys or the values of one layer: rows at the places `0 .. length - 1` for each head.
///
/// **Shapes:** rows `[kvHeads, count, headDim]`.
sealed interface Store extends AutoCloseable permits PlainStore, QuantisedStore {
  /// Rows there are.
  int length();

  /// Rows there is room for.
  int capacity();

  /// Bytes taken, room included.
  long bytes();

  /// Adds rows at the end.
  void append(Tensor rows);

  /// Puts other rows in the place of those from `at` on.
  void replace(int at, Tensor rows);

  /// All rows in the type of the model; they may be a view of the store.
  Tensor read();

  /// Keeps the rows at `kept`, `[kvHeads, count]` ascending, in that order.
  void compact(Tensor kept);

  /// Makes room for that many rows in all.
  void reserve(int rows);

  /// Makes room for that many rows and no more.
  void fit(int rows);

  /// Gives back room beyond `rows`.
  void trim(int rows);

  @Override
  void close();
}
