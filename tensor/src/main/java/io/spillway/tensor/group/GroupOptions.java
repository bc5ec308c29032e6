package io.spillway.tensor.group;

import io.spillway.platform.SpillwayException;
import java.time.Duration;
import java.util.Optional;

/// How a group connects.
///
/// @param timeout how long an operation may wait for its peers
/// @param network the interface (`eth1`) or own host name or address that Gloo listens at; empty to
///   take GLOO_SOCKET_IFNAME, else the address that reaches MASTER_ADDR
/// @param threads Gloo's threads
public record GroupOptions(Duration timeout, Optional<String> network, int threads) {
  public GroupOptions {
    if (timeout.toMillis() < 1) {
      throw SpillwayException.badInput("a timeout of %s is not positive", timeout);
    }
    if (threads < 1) {
      throw SpillwayException.badInput("%d Gloo threads, at least 1 is needed", threads);
    }
  }

  /// Five minutes, network by itself, two threads.
  public static GroupOptions defaults() {
    return new GroupOptions(Duration.ofMinutes(5), Optional.empty(), 2);
  }

  public GroupOptions withTimeout(Duration wanted) {
    return new GroupOptions(wanted, network, threads);
  }

  public GroupOptions withNetwork(String wanted) {
    return new GroupOptions(timeout, Optional.of(wanted), threads);
  }
}
