package io.spillway.training.engine;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.BytesPerSecond;
import java.util.List;

/// The device that `--simulate-device` describes, for example `memory=2GiB,link=4GB/s`.
///
/// @param memory its capacity
/// @param link bytes/s of each direction
/// @param duplex whether both directions run at once at that rate
/// @param updateRate parameters/s that its optimizer kernel updates
/// @param hostUpdateRate parameters/s that the host's processor may update, infinity for as fast as
///   it can
/// @param diskRate bytes/s of the state files, infinity for as fast as they can
public record DeviceSpec(
    Bytes memory,
    BytesPerSecond link,
    boolean duplex,
    double updateRate,
    double hostUpdateRate,
    double diskRate) {
  private static final List<String> KEYS =
      List.of("memory", "link", "duplex", "update", "host-update", "disk");

  public DeviceSpec {
    if (!(link.bytesPerSecond() > 0) || !(updateRate > 0) || !(hostUpdateRate > 0)) {
      throw SpillwayException.badInput(
          "link %s, update %s/s and host-update %s/s of a simulated device must be positive",
          link, updateRate, hostUpdateRate);
    }
  }

  /// Reads `memory=BYTES,link=RATE` with the optional keys `duplex=true|false`,
  /// `update=PARAMETERS_PER_S`, `host-update=PARAMETERS_PER_S` and `disk=RATE`.
  public static DeviceSpec parse(String text) {
    Bytes memory = null;
    BytesPerSecond link = null;
    boolean duplex = true;
    double update = 2e9;
    double hostUpdate = Double.POSITIVE_INFINITY;
    double disk = Double.POSITIVE_INFINITY;
    for (String part : text.split(",")) {
      String[] pair = part.split("=", 2);
      String key = pair[0].strip();
      if (pair.length != 2) {
        throw SpillwayException.badInput(
            "simulated device '%s': '%s' has no value; write memory=2GiB,link=4GB/s", text, part);
      }
      String value = pair[1].strip();
      switch (key) {
        case "memory" -> memory = Bytes.parse(value);
        case "link" -> link = BytesPerSecond.parse(value);
        case "duplex" -> duplex = flag(value);
        case "update" -> update = rate(key, value);
        case "host-update" -> hostUpdate = rate(key, value);
        case "disk" -> disk = BytesPerSecond.parse(value).bytesPerSecond();
        default ->
            throw SpillwayException.badInput(
                "unknown key '%s' of a simulated device, %s", key, Nearest.hint(key, KEYS));
      }
    }
    if (memory == null || link == null) {
      throw SpillwayException.badInput(
          "simulated device '%s' needs memory and link, for example memory=2GiB,link=4GB/s", text);
    }
    return new DeviceSpec(memory, link, duplex, update, hostUpdate, disk);
  }

  private static boolean flag(String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default -> throw SpillwayException.badInput("duplex=%s, true or false was expected", value);
    };
  }

  private static double rate(String key, String value) {
    try {
      return Double.parseDouble(value.replaceAll("(/s)?$", ""));
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput(
          "%s=%s, parameters per second were expected, for example 1e9", key, value);
    }
  }
}
