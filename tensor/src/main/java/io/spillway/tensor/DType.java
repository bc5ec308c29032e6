package io.spillway.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// An element type, under its safetensors name. This type knows nothing of libtorch; [Tensors] maps
/// it.
///
/// **Units:** sizes in bytes.
public enum DType {
  F64("F64", 8),
  F32("F32", 4),
  F16("F16", 2),
  BF16("BF16", 2),
  I64("I64", 8),
  I32("I32", 4),
  I16("I16", 2),
  I8("I8", 1),
  U8("U8", 1),
  BOOL("BOOL", 1);

  private final String safetensorsName;
  private final int bytes;

  DType(String safetensorsName, int bytes) {
    this.safetensorsName = safetensorsName;
    this.bytes = bytes;
  }

  /// The name in a safetensors header.
  public String safetensorsName() {
    return safetensorsName;
  }

  /// Bytes of one element.
  public int bytes() {
    return bytes;
  }

  public boolean isFloating() {
    return this == F64 || this == F32 || this == F16 || this == BF16;
  }

  /// The type of that safetensors name, if it is one of ours.
  public static Optional<DType> of(String safetensorsName) {
    return Arrays.stream(values())
        .filter(d -> d.safetensorsName.equals(safetensorsName))
        .findFirst();
  }

  public static List<String> names() {
    return Arrays.stream(values()).map(DType::safetensorsName).toList();
  }
}
