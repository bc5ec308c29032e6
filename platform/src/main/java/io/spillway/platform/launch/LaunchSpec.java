package io.spillway.platform.launch;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// What to launch on this host.
///
/// @param command program and arguments of every rank
/// @param processes ranks on this host
/// @param nodes hosts of the job
/// @param nodeRank number of this host
/// @param masterAddr host of rank 0
/// @param masterPort port of rank 0's store
/// @param environment further variables of every rank
/// @param prefixes commands put before `command`, one for each local rank (to enter a network
///   namespace, to pin a core); empty for none
/// @param grace how long ranks may take to end before they are killed
public record LaunchSpec(
    List<String> command,
    int processes,
    int nodes,
    int nodeRank,
    String masterAddr,
    int masterPort,
    Map<String, String> environment,
    List<List<String>> prefixes,
    Duration grace) {
  public LaunchSpec {
    command = List.copyOf(command);
    environment = Map.copyOf(environment);
    prefixes = List.copyOf(prefixes);
    if (command.isEmpty()) {
      throw SpillwayException.badInput("no command to launch; write it after --");
    }
    if (processes < 1 || processes > 4096) {
      throw SpillwayException.badInput("--nproc %d must be 1 to 4096", processes);
    }
    if (nodes < 1 || nodeRank < 0 || nodeRank >= nodes) {
      throw SpillwayException.badInput(
          "--node-rank %d must be 0 to --nnodes - 1 = %d", nodeRank, nodes - 1);
    }
    if (!prefixes.isEmpty() && prefixes.size() != processes) {
      throw SpillwayException.badInput(
          "%d prefixes for %d processes, one each is needed", prefixes.size(), processes);
    }
  }

  /// `processes` ranks on this host that meet at a free port of the loopback interface.
  public static LaunchSpec local(int processes, List<String> command) {
    return new LaunchSpec(
        command, processes, 1, 0, "127.0.0.1", freePort(), Map.of(), List.of(), DEFAULT_GRACE);
  }

  /// Five seconds to end in order.
  public static final Duration DEFAULT_GRACE = Duration.ofSeconds(5);

  /// The same with these variables for every rank.
  public LaunchSpec withEnvironment(Map<String, String> variables) {
    return new LaunchSpec(
        command, processes, nodes, nodeRank, masterAddr, masterPort, variables, prefixes, grace);
  }

  /// A TCP port that nobody listens on now.
  public static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw SpillwayException.notAvailable("no free TCP port: %s", e);
    }
  }

  RankEnvironment rank(int local) {
    return new RankEnvironment(
        nodeRank * processes + local, nodes * processes, local, masterAddr, masterPort);
  }
}
