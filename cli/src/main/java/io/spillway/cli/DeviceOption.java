package io.spillway.cli;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import picocli.CommandLine.Option;

/// The device that tensors are computed on: `--device`; one for every command that takes a GPU
/// where there is one. Commands that stay on the CPU unless told otherwise have their own.
public final class DeviceOption {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N (default: ${DEFAULT-VALUE}).")
  private String name = "auto";

  /// **Errors:** an unknown name, and CUDA where it is asked for and absent.
  public ComputeDevice choose() {
    return Devices.choose(name);
  }

  /// As [#choose], but `auto` means the CPU if `hostOnly`: what runs shares host memory.
  public ComputeDevice choose(boolean hostOnly) {
    return Devices.choose(hostOnly && name.equals("auto") ? "cpu" : name);
  }
}
