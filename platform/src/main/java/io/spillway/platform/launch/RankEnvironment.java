package io.spillway.platform.launch;

import io.spillway.platform.SpillwayException;
import java.util.LinkedHashMap;
import java.util.Map;

/// Which process of a job this one is and where the others meet it, as torchrun, Slurm scripts and
/// `./spillway launch` set it: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT.
///
/// @param rank number of this process, 0 to `worldSize` - 1
/// @param worldSize processes in the job
/// @param localRank number of this process on its host
/// @param masterAddr host of rank 0
/// @param masterPort TCP port of rank 0's store
public record RankEnvironment(
    int rank, int worldSize, int localRank, String masterAddr, int masterPort) {
  public RankEnvironment {
    if (worldSize < 1 || rank < 0 || rank >= worldSize || localRank < 0) {
      throw SpillwayException.badInput(
          "RANK=%d LOCAL_RANK=%d WORLD_SIZE=%d: ranks run from 0 to WORLD_SIZE - 1",
          rank, localRank, worldSize);
    }
    if (masterPort < 1 || masterPort > 65_535) {
      throw SpillwayException.badInput(
          "MASTER_PORT=%d is no TCP port, it must be 1 to 65535", masterPort);
    }
    if (masterAddr.isBlank()) {
      throw SpillwayException.badInput("MASTER_ADDR is empty, it must name the host of rank 0");
    }
  }

  /// The environment of this process.
  ///
  /// **Errors:** a missing or malformed variable, with the command that sets it.
  public static RankEnvironment current() {
    return from(System.getenv());
  }

  /// Whether the variables of a job are set at all.
  public static boolean isSet() {
    return System.getenv("RANK") != null && System.getenv("WORLD_SIZE") != null;
  }

  static RankEnvironment from(Map<String, String> environment) {
    return new RankEnvironment(
        number(environment, "RANK", null),
        number(environment, "WORLD_SIZE", null),
        number(environment, "LOCAL_RANK", environment.get("RANK")),
        text(environment, "MASTER_ADDR", null),
        number(environment, "MASTER_PORT", null));
  }

  /// The variables that a child process of that rank gets.
  public Map<String, String> variables() {
    Map<String, String> variables = new LinkedHashMap<>();
    variables.put("RANK", Integer.toString(rank));
    variables.put("WORLD_SIZE", Integer.toString(worldSize));
    variables.put("LOCAL_RANK", Integer.toString(localRank));
    variables.put("MASTER_ADDR", masterAddr);
    variables.put("MASTER_PORT", Integer.toString(masterPort));
    return variables;
  }

  private static int number(
      Map<String, String> environment,
      String name,
      @org.jspecify.annotations.Nullable String fallback) {
    String value = text(environment, name, fallback);
    try {
      return Integer.parseInt(value.strip());
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput("%s=%s is no whole number", name, value);
    }
  }

  private static String text(
      Map<String, String> environment,
      String name,
      @org.jspecify.annotations.Nullable String fallback) {
    String value = environment.get(name);
    if (value != null) {
      return value;
    }
    if (fallback != null) {
      return fallback;
    }
    throw SpillwayException.badInput(
        "%s is not set; start the ranks with ./spillway launch --nproc N -- COMMAND, torchrun or"
            + " srun",
        name);
  }
}
