package io.spillway.tensor.safetensors;

import io.spillway.tensor.DType;
import java.util.List;

/// One tensor of a safetensors file.
///
/// @param name unique in its file
/// @param dtype element type
/// @param shape sizes, outermost first; empty for a scalar
/// @param begin first byte, counted from the end of the header
/// @param end the byte after the last one, counted likewise
public record TensorEntry(String name, DType dtype, List<Long> shape, long begin, long end) {
  public TensorEntry {
    shape = List.copyOf(shape);
  }

  /// Bytes of the tensor.
  public long bytes() {
    return end - begin;
  }

  /// The sizes as libtorch wants them.
  public long[] sizes() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
