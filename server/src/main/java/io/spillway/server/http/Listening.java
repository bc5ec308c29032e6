package io.spillway.server.http;

import io.spillway.platform.SpillwayException;
import java.util.Optional;

/// Where a service listens and whom it answers.
///
/// @param host address to listen on
/// @param port port, 0 for any free one
/// @param apiKey what clients must send as bearer token, if given
/// @param largestBody bytes of a request at most
public record Listening(String host, int port, Optional<String> apiKey, long largestBody) {
  public Listening {
    if (port < 0 || port > 65535) {
      throw SpillwayException.badInput("port %d is out of range, 0 to 65535", port);
    }
    if (largestBody < 1) {
      throw SpillwayException.badInput("largest body %d bytes must be at least 1", largestBody);
    }
  }
}
