package io.spillway.training.plan;

/// Bytes of one parameter in each of its forms.
///
/// @param weight the rounded weight on the device: 2, or 4 without mixed precision
/// @param gradient the gradient: 2, or 4
/// @param state master, momentum and variance: 12, or 10 with a split master
public record StateBytes(int weight, int gradient, int state) {
  /// 16-bit weights and gradients, a full master.
  public static StateBytes mixed() {
    return new StateBytes(2, 2, 12);
  }

  /// 16-bit weights and gradients, a split master.
  public static StateBytes split() {
    return new StateBytes(2, 2, 10);
  }
}
