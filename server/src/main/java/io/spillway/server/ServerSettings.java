package io.spillway.server;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.Optional;

/// How the service runs.
///
/// @param host address to listen on
/// @param port port, 0 for any free one
/// @param apiKey what clients must send as bearer token, if given
/// @param active answers that grow at the same time
/// @param queued requests that wait for a place; more are refused with 429
/// @param largestBody bytes of a request at most
/// @param sessions folder in which stored contexts survive a restart
/// @param policy what stays in the cache where a request does not say
/// @param cache budget and chunk where a request does not say
public record ServerSettings(
    String host,
    int port,
    Optional<String> apiKey,
    int active,
    int queued,
    long largestBody,
    Optional<Path> sessions,
    Policy policy,
    CacheSettings cache) {
  public ServerSettings {
    if (port < 0 || port > 65535) {
      throw SpillwayException.badInput("port %d is out of range, 0 to 65535", port);
    }
    if (active < 1 || queued < 0 || largestBody < 1) {
      throw SpillwayException.badInput(
          "active %d, queued %d and largest body %d bytes must be at least 1, 0 and 1",
          active, queued, largestBody);
    }
  }
}
