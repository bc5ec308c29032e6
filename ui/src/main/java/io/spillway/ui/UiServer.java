package io.spillway.ui;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.HttpService;
import io.spillway.server.http.Listening;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The page's server. It listens on loopback unless told otherwise, and then wants a token with
/// every call; calls with a foreign `Host` or `Origin` are refused, so that another page in the
/// same browser cannot use it.
public final class UiServer implements AutoCloseable {
  private static final Map<String, String> FILES =
      Map.of(
          "index.html", "text/html; charset=utf-8",
          "app.js", "text/javascript; charset=utf-8",
          "lib.js", "text/javascript; charset=utf-8",
          "views.js", "text/javascript; charset=utf-8",
          "style.css", "text/css; charset=utf-8");
  private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");
  private static final long LARGEST_BODY = 64L << 20;

  /// Scripts and styles of our own files alone; pictures and plots may be inline.
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
          + " blob:; connect-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action"
          + " 'none'";

  private final Listening listening;
  private final boolean loopback;
  private final HttpService service;
  private final List<View> views;

  private UiServer(Listening listening, boolean loopback, List<View> views) {
    this.listening = listening;
    this.loopback = loopback;
    this.views = views;
    this.service = new HttpService(listening, () -> "", this::route);
  }

  /// Starts listening.
  ///
  /// @param token what clients must send; must be given when `host` is no loopback address
  /// @param runs folder of run records
  public static UiServer start(String host, int port, Optional<String> token, Path runs) {
    boolean loopback = isLoopback(host);
    if (!loopback && token.filter(t -> t.length() >= 16).isEmpty()) {
      throw SpillwayException.badInput(
          "--host %s is reachable from other machines: give --token with at least 16 characters",
          host);
    }
    UiServer server =
        new UiServer(
            new Listening(host, port, token, LARGEST_BODY),
            loopback,
            List.of(
                new RunsView(runs),
                new PlannerView(),
                new SimulatorView(),
                new ChatView(),
                new ImagesView(),
                new EventsView()));
    server.service.start();
    return server;
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw SpillwayException.badInput("no address for host '%s'", host);
    }
  }

  public int port() {
    return service.port();
  }

  private void route(HttpRouting.Builder routing) {
    routing.get("/", (request, response) -> file("index.html", response));
    FILES
        .keySet()
        .forEach(name -> routing.get("/ui/" + name, (request, response) -> file(name, response)));
    routing.get(
        "/favicon.ico", (request, response) -> response.status(Status.NO_CONTENT_204).send());
    for (View view : views) {
      view.route(
          new View.Routes() {
            @Override
            public void get(String path, HttpService.Exchange exchange) {
              routing.get("/api/" + path, own(exchange));
            }

            @Override
            public void post(String path, HttpService.Exchange exchange) {
              routing.post("/api/" + path, own(exchange));
            }
          });
    }
  }

  private Handler own(HttpService.Exchange exchange) {
    Handler guarded = HttpService.guarded(listening, exchange);
    return (request, response) -> {
      if (isForeign(request)) {
        HttpService.error(
            response, 403, "forbidden", "this page answers calls from its own address alone");
        return;
      }
      guarded.handle(request, response);
    };
  }

  /// A name that a stranger's page resolved to this machine, or a stranger's page itself.
  private boolean isForeign(ServerRequest request) {
    String host = request.headers().first(HeaderNames.HOST).orElse("");
    String name = host.replaceFirst(":\\d+$", "");
    String origin = request.headers().first(HeaderNames.ORIGIN).orElse("http://" + host);
    return (loopback && !LOOPBACK_NAMES.contains(name)) || !origin.endsWith("//" + host);
  }

  private static void file(String name, ServerResponse response) {
    try (InputStream in = UiServer.class.getResourceAsStream("/ui/" + name)) {
      if (in == null) {
        throw new IllegalStateException("resource /ui/" + name + " is missing");
      }
      response.header(HeaderNames.CONTENT_TYPE, FILES.getOrDefault(name, "text/plain"));
      response.header(HeaderNames.CACHE_CONTROL, "no-cache");
      response.header(HeaderNames.create("Content-Security-Policy"), POLICY);
      response.header(HeaderNames.create("X-Content-Type-Options"), "nosniff");
      response.send(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read /ui/" + name, e);
    }
  }

  @Override
  public void close() {
    service.close();
    views.forEach(View::close);
  }
}
