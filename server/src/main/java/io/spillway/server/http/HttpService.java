package io.spillway.server.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/// A web server whose handlers run on virtual threads, with `/healthz` and `/metrics`, answers in
/// JSON and errors of OpenAI's form.
public final class HttpService implements AutoCloseable {
  private final Listening listening;
  private final WebServer web;

  /// @param metrics the page under `/metrics`
  /// @param routes adds the service's own paths, guarded by [#guarded]
  public HttpService(
      Listening listening, Supplier<String> metrics, Consumer<HttpRouting.Builder> routes) {
    this.listening = listening;
    WatchedConnections connections = new WatchedConnections();
    this.web =
        WebServer.builder()
            .address(address(listening.host()))
            .port(listening.port())
            .maxPayloadSize(listening.largestBody())
            .shutdownHook(false)
            .protocolsDiscoverServices(false) // HTTP/1.1 comes with the watched connections
            .addConnectionSelector(connections)
            .connectionOptions(connections.options())
            .shutdownGracePeriod(Duration.ofSeconds(5))
            .routing(routing -> {
              routing
                  .get("/healthz", (request, response) -> response.send("ok\n"))
                  .get(
                      "/metrics",
                      (request, response) -> {
                        response.header(HeaderNames.CONTENT_TYPE, "text/plain; version=0.0.4");
                        response.send(metrics.get());
                      });
              routes.accept(routing);
            })
            .build();
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw SpillwayException.badInput("no address for host '%s'", host);
    }
  }

  /// Starts listening.
  ///
  /// **Errors:** a port that is taken, as not available.
  public void start() {
    String why;
    try {
      web.start();
      if (web.isRunning() && web.port() > 0) {
        return;
      }
      why = "the address may be in use"; // Helidon only logs that
    } catch (RuntimeException e) {
      why = String.valueOf(e.getMessage());
    }
    throw SpillwayException.notAvailable(
        "cannot listen on %s port %d: %s; choose another --port",
        listening.host(), listening.port(), why);
  }

  /// The port it listens on.
  public int port() {
    return web.port();
  }

  /// A handler that may fail.
  public interface Exchange {
    void handle(ServerRequest request, ServerResponse response) throws Exception;
  }

  /// Asks for the key and turns failures into answers.
  public static Handler guarded(Listening listening, Exchange exchange) {
    return (request, response) -> {
      if (!allowed(listening, request)) {
        error(response, 401, "invalid_api_key", "a valid API key is needed as bearer token");
        return;
      }
      try {
        exchange.handle(request, response);
      } catch (SpillwayException e) {
        if (response.isSent()) {
          throw e;
        }
        error(
            response,
            status(e.code()),
            e.code() == ErrorCode.DOES_NOT_FIT ? "insufficient_storage" : "invalid_request_error",
            String.valueOf(e.getMessage()));
      }
    };
  }

  private static int status(ErrorCode code) {
    return switch (code) {
      case NOT_FOUND -> 404;
      case BAD_INPUT -> 400;
      case DOES_NOT_FIT -> 507;
      case NOT_AVAILABLE, INTERRUPTED -> 422;
      case INTERNAL -> 500;
    };
  }

  private static boolean allowed(Listening listening, ServerRequest request) {
    if (listening.apiKey().isEmpty()) {
      return true;
    }
    String given = request.headers().first(HeaderNames.AUTHORIZATION).orElse("");
    byte[] wanted = ("Bearer " + listening.apiKey().get()).getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(wanted, given.getBytes(StandardCharsets.UTF_8));
  }

  /// The body of a request as JSON.
  public static JsonNode body(ServerRequest request) {
    return Json.parse(request.content().as(String.class), JsonNode.class, "request");
  }

  public static void json(ServerResponse response, Object body) {
    response.header(HeaderNames.CONTENT_TYPE, "application/json");
    response.send(Json.write(body));
  }

  /// 429, with the seconds after which a place may be free.
  public static void full(ServerResponse response, long retryAfterSeconds) {
    response.header(HeaderNames.create("Retry-After"), String.valueOf(retryAfterSeconds));
    error(response, 429, "rate_limit_exceeded", "the queue is full; try again later");
  }

  public static void error(ServerResponse response, int status, String type, String message) {
    response.status(Status.create(status));
    json(response, errorBody(type, message));
  }

  /// An error in OpenAI's form.
  public static Map<String, Object> errorBody(String type, String message) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("message", message);
    error.put("type", type);
    error.put("code", type);
    return Map.of("error", error);
  }

  @Override
  public void close() {
    web.stop();
  }
}
