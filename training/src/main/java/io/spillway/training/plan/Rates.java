package io.spillway.training.plan;

import io.spillway.platform.SpillwayException;

/// The measured speeds that a plan rests on.
///
/// @param hostToDevice bytes/s from host to device while the other direction is idle
/// @param deviceToHost bytes/s from device to host
/// @param duplex whether both directions run at full speed at once; else they share one link
/// @param cpuUpdate parameters/s that the fused CPU pass updates
/// @param deviceUpdate parameters/s that the device updates
/// @param norm parameters/s of which the device sums the squares
/// @param hostMemory bytes/s of host memory, infinity if it does not bind
/// @param disk bytes/s of the state files, one way
/// @param taskOverhead seconds between a task's readiness and its start, measured
public record Rates(
    double hostToDevice,
    double deviceToHost,
    boolean duplex,
    double cpuUpdate,
    double deviceUpdate,
    double norm,
    double hostMemory,
    double disk,
    double taskOverhead) {
  public Rates {
    requirePositive("host to device rate", hostToDevice);
    requirePositive("device to host rate", deviceToHost);
    requirePositive("CPU update rate", cpuUpdate);
    requirePositive("device update rate", deviceUpdate);
    requirePositive("norm rate", norm);
    requirePositive("host memory bandwidth", hostMemory);
    requirePositive("disk rate", disk);
    if (!(taskOverhead >= 0)) {
      throw SpillwayException.badInput("task overhead is %s s, at least 0", taskOverhead);
    }
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0)) {
      throw SpillwayException.badInput("%s is %s, it must be positive", name, value);
    }
  }

  /// The same with a device of other rates.
  public Rates withLink(double link, double update) {
    return new Rates(
        link,
        link,
        duplex,
        cpuUpdate,
        update,
        Math.max(norm, update),
        hostMemory,
        disk,
        taskOverhead);
  }

  /// Seconds that one task takes once it runs.
  public double seconds(TaskKind kind, long parameters, StateBytes bytes) {
    double n = parameters;
    return switch (kind) {
      case NORM -> n / norm;
      case FLUSH -> n * bytes.gradient() / deviceToHost;
      case LOAD, STORE -> n * bytes.state() / disk;
      case PREFETCH -> n * bytes.state() / hostToDevice;
      case DEVICE_ADAM -> n / deviceUpdate;
      case WRITE_BACK -> n * bytes.state() / deviceToHost;
      case CPU_ADAM -> n / cpuUpdate;
      case UPLOAD -> n * bytes.weight() / hostToDevice;
    };
  }
}
