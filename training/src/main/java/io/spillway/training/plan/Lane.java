package io.spillway.training.plan;

/// A resource that does one thing at a time, beside all other lanes; a row of the timeline.
public enum Lane {
  /// The device's forward and backward passes.
  COMPUTE("forward, backward"),
  /// The device's optimizer kernels.
  DEVICE_UPDATE("device update"),
  /// Copies from the host to the device.
  HOST_TO_DEVICE("host to device"),
  /// Copies from the device to the host.
  DEVICE_TO_HOST("device to host"),
  /// The host processor's fused update.
  CPU_UPDATE("CPU update"),
  /// Reads of state files.
  DISK_READ("disk read"),
  /// Writes of state files.
  DISK_WRITE("disk write");

  private final String label;

  Lane(String label) {
    this.label = label;
  }

  /// The words at the row of the timeline.
  public String label() {
    return label;
  }
}
