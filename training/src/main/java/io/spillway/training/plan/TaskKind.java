package io.spillway.training.plan;

/// What a task of the update does with its subgroup.
public enum TaskKind {
  /// The sum of squared gradients, on the device.
  NORM(Lane.DEVICE_UPDATE),
  /// 16-bit gradients to the host, during the backward pass.
  FLUSH(Lane.DEVICE_TO_HOST),
  /// State file to host memory.
  LOAD(Lane.DISK_READ),
  /// State of a streamed subgroup to the device.
  PREFETCH(Lane.HOST_TO_DEVICE),
  /// Adam on the device.
  DEVICE_ADAM(Lane.DEVICE_UPDATE),
  /// Updated state of a streamed subgroup to the host.
  WRITE_BACK(Lane.DEVICE_TO_HOST),
  /// Adam on the host.
  CPU_ADAM(Lane.CPU_UPDATE),
  /// Rounded weights to the device.
  UPLOAD(Lane.HOST_TO_DEVICE),
  /// Host memory to state file.
  STORE(Lane.DISK_WRITE);

  private final Lane lane;

  TaskKind(Lane lane) {
    this.lane = lane;
  }

  /// Where tasks of this kind run.
  public Lane lane() {
    return lane;
  }
}
