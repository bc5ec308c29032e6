package io.spillway.cli.reservoir;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.DevicePresets;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.tensor.Devices;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The option that chooses what runs the liquid.
final class EngineOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "Run the liquid in batches through libtorch on auto, cpu, cuda or cuda:N. Without it the"
              + " event-driven engine runs on every core.")
  private @Nullable String device;

  Engine engine() {
    if (device == null) {
      return new Engine.Sparse();
    }
    for (String name : DevicePresets.names()) {
      if (name.equalsIgnoreCase(device) || name.equalsIgnoreCase(device + "Preset")) {
        throw SpillwayException.badInput(
            "--device %s names a resistive memory, which --memory takes; devices are auto, cpu,"
                + " cuda, cuda:N",
            device);
      }
    }
    return new Engine.Torch(Devices.choose(device));
  }
}
