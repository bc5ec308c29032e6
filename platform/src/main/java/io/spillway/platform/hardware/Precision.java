package io.spillway.platform.hardware;

/// A number format that an accelerator multiplies matrices in.
public enum Precision {
  FP32(4),
  TF32(4),
  FP16(2),
  BF16(2),
  FP8(1);

  private final int bytes;

  Precision(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of one stored element.
  public int bytes() {
    return bytes;
  }
}
