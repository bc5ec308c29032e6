package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Numbers by head, token and component in memory: states of one head are `heads = 1`, and what a
/// projection writes, token by token, is as good as what attention reads, head by head.
///
/// @param data whose first number is that of head 0 and token 0
/// @param heads how many
/// @param tokens of each head
/// @param dim components of each token, one behind the other
/// @param headStride numbers from one head to the next
/// @param tokenStride numbers from one token to the next
public record Heads(
    MemorySegment data,
    Precision precision,
    int heads,
    int tokens,
    int dim,
    long headStride,
    long tokenStride) {
  /// **Errors:** [IllegalArgumentException] for sizes below one, [IndexOutOfBoundsException] if the
  /// numbers do not lie in `data`.
  public Heads {
    if (heads < 1 || tokens < 1 || dim < 1 || headStride < 0 || tokenStride < 0) {
      throw new IllegalArgumentException(
          heads + " heads, " + tokens + " tokens, " + dim + " components: at least one of each");
    }
    long last = (heads - 1) * headStride + (tokens - 1) * tokenStride + dim;
    Objects.checkFromIndexSize(0, last * precision.bytes(), data.byteSize());
  }

  /// Rows one behind the other.
  public static Heads rows(MemorySegment data, Precision precision, int rows, int columns) {
    return new Heads(data, precision, 1, rows, columns, 0, columns);
  }

  /// Where the numbers of a token begin.
  long at(int head, int token) {
    return head * headStride + token * tokenStride;
  }

  /// Whether `other` has the same shape.
  boolean fits(Heads other) {
    return heads == other.heads && tokens == other.tokens && dim == other.dim;
  }
}
