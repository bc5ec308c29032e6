package io.spillway.server;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.longcontext.LongContextModel;
import io.spillway.models.ChatTemplate;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// OpenAI's API over one model: chat completions, completions, models, and stored contexts under
/// `/v1/sessions`; `/healthz` and `/metrics` beside them.
///
/// Requests run on virtual threads; everything that touches libtorch runs on the engine's thread.
public final class LongContextServer implements AutoCloseable {
  private static final String RETRY_AFTER_SECONDS = "1";

  private final LongContextModel model;
  private final ServerSettings settings;
  private final Metrics metrics = new Metrics();
  private final SessionStore store;
  private final Engine engine;
  private final WebServer web;
  private final @Nullable ChatTemplate template;
  private final AtomicLong numbers = new AtomicLong();
  private final String name;

  private LongContextServer(LongContextModel model, ServerSettings settings) {
    this.model = model;
    this.settings = settings;
    this.name = String.valueOf(model.folder().toAbsolutePath().normalize().getFileName());
    this.store = new SessionStore(model, settings.sessions());
    this.template = template(model);
    this.engine = new Engine(model, store, metrics, settings);
    this.web =
        WebServer.builder()
            .address(address(settings.host()))
            .port(settings.port())
            .maxPayloadSize(settings.largestBody())
            .shutdownHook(false)
            .shutdownGracePeriod(Duration.ofSeconds(5))
            .routing(this::route)
            .build();
  }

  private static @Nullable ChatTemplate template(LongContextModel model) {
    try {
      return model.chatTemplate();
    } catch (SpillwayException e) {
      return null; // plain completions still work; a chat request is told why it does not
    }
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw SpillwayException.badInput("no address for host '%s'", host);
    }
  }

  /// Starts listening.
  public static LongContextServer start(LongContextModel model, ServerSettings settings) {
    LongContextServer server = new LongContextServer(model, settings);
    try {
      server.web.start();
    } catch (RuntimeException e) {
      server.close();
      throw SpillwayException.notAvailable(
          "cannot listen on %s port %d: %s; choose another --port",
          settings.host(), settings.port(), String.valueOf(e.getMessage()));
    }
    return server;
  }

  /// The port it listens on.
  public int port() {
    return web.port();
  }

  private void route(HttpRouting.Builder routing) {
    routing
        .get("/healthz", (request, response) -> response.send("ok\n"))
        .get(
            "/metrics",
            (request, response) -> {
              response.header(HeaderNames.CONTENT_TYPE, "text/plain; version=0.0.4");
              response.send(metrics.render(store));
            })
        .get("/v1/models", guarded((request, response) -> json(response, models())))
        .get("/v1/sessions", guarded((request, response) -> json(response, sessions())))
        .post("/v1/sessions", guarded(this::storeContext))
        .delete("/v1/sessions/{id}", guarded(this::removeContext))
        .post("/v1/chat/completions", guarded((q, r) -> complete(q, r, true)))
        .post("/v1/completions", guarded((q, r) -> complete(q, r, false)));
  }

  private interface Exchange {
    void handle(ServerRequest request, ServerResponse response) throws Exception;
  }

  private io.helidon.webserver.http.Handler guarded(Exchange exchange) {
    return (request, response) -> {
      if (!allowed(request)) {
        error(response, 401, "invalid_api_key", "a valid API key is needed as bearer token");
        return;
      }
      try {
        exchange.handle(request, response);
      } catch (SpillwayException e) {
        if (response.isSent()) {
          throw e;
        }
        int status =
            e.code() == ErrorCode.NOT_FOUND ? 404 : e.code() == ErrorCode.BAD_INPUT ? 400 : 422;
        error(response, status, "invalid_request_error", String.valueOf(e.getMessage()));
      }
    };
  }

  private boolean allowed(ServerRequest request) {
    if (settings.apiKey().isEmpty()) {
      return true;
    }
    String given = request.headers().first(HeaderNames.AUTHORIZATION).orElse("");
    byte[] wanted = ("Bearer " + settings.apiKey().get()).getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(wanted, given.getBytes(StandardCharsets.UTF_8));
  }

  private Map<String, Object> models() {
    return Map.of(
        "object",
        "list",
        "data",
        List.of(Map.of("id", name, "object", "model", "created", 0, "owned_by", "spillway")));
  }

  private Map<String, Object> sessions() {
    return Map.of("object", "list", "data", store.list());
  }

  private static ApiRequest read(ServerRequest request) {
    String text = request.content().as(String.class);
    return new ApiRequest(Json.parse(text, JsonNode.class, "request"));
  }

  private boolean submit(Job job, ServerResponse response) {
    metrics.request();
    if (engine.submit(job)) {
      return true;
    }
    metrics.refused();
    response.header(HeaderNames.create("Retry-After"), RETRY_AFTER_SECONDS);
    error(response, 429, "rate_limit_exceeded", "the queue is full; try again later");
    return false;
  }

  private void storeContext(ServerRequest request, ServerResponse response)
      throws InterruptedException {
    Job job = read(request).store(model, settings);
    if (!submit(job, response)) {
      return;
    }
    switch (job.next()) {
      case Job.Event.Done done ->
          json(response, Map.of("id", job.store.orElseThrow(), "tokens", done.promptTokens()));
      case Job.Event.Failed failed -> throw failed.cause();
      case Job.Event.Piece piece -> throw new IllegalStateException("an answer to a context");
    }
  }

  private void removeContext(ServerRequest request, ServerResponse response) {
    String id = request.path().pathParameters().get("id");
    if (!store.remove(id)) {
      throw SpillwayException.notFound("no session '%s'; see GET /v1/sessions", id);
    }
    json(response, Map.of("id", id, "deleted", true));
  }

  private void complete(ServerRequest request, ServerResponse response, boolean chat)
      throws InterruptedException {
    ApiRequest api = read(request);
    ChatTemplate layout = template;
    if (chat && layout == null) {
      throw SpillwayException.badInput(
          "this model has no chat template; use /v1/completions instead");
    }
    Job job =
        chat && layout != null
            ? api.chat(model, settings, layout)
            : api.completion(model, settings);
    if (job.session.isPresent() && !store.contains(job.session.get())) {
      throw SpillwayException.notFound("no session '%s'; see GET /v1/sessions", job.session.get());
    }
    boolean stream = api.stream();
    Replies replies = new Replies(chat, numbers.incrementAndGet(), name);
    if (!submit(job, response)) {
      return;
    }
    if (stream) {
      stream(job, response, replies, api.streamUsage());
      return;
    }
    StringBuilder text = new StringBuilder();
    while (true) {
      switch (job.next()) {
        case Job.Event.Piece piece -> text.append(piece.text());
        case Job.Event.Failed failed -> throw failed(failed);
        case Job.Event.Done done -> {
          json(response, replies.whole(text.toString(), done));
          return;
        }
      }
    }
  }

  private RuntimeException failed(Job.Event.Failed failed) {
    metrics.failed();
    return failed.cause();
  }

  /// Server-sent events; a client that left cancels its job.
  private void stream(Job job, ServerResponse response, Replies replies, boolean usage)
      throws InterruptedException {
    Job.Event event = job.next();
    if (event instanceof Job.Event.Failed failed) {
      throw failed(failed);
    }
    response.status(Status.OK_200);
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    boolean ended = false;
    try (OutputStream out = response.outputStream()) {
      boolean first = true;
      while (true) {
        switch (event) {
          case Job.Event.Piece piece -> write(out, Json.line(replies.piece(piece.text(), first)));
          case Job.Event.Failed failed -> {
            ended = true;
            write(out, Json.line(errorBody("server_error", "the answer failed")));
            throw failed(failed);
          }
          case Job.Event.Done done -> {
            ended = true;
            write(out, Json.line(replies.last(done)));
            if (usage) {
              write(out, Json.line(replies.usage(done)));
            }
            write(out, "[DONE]");
            return;
          }
        }
        first = false;
        event = job.next();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the client has left", e);
    } finally {
      if (!ended) {
        job.cancel(); // whatever the web server throws when a client has left
      }
    }
  }

  private static void write(OutputStream out, String data) throws IOException {
    out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static void json(ServerResponse response, Object body) {
    response.header(HeaderNames.CONTENT_TYPE, "application/json");
    response.send(Json.write(body));
  }

  private static Map<String, Object> errorBody(String type, String message) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("message", message);
    error.put("type", type);
    error.put("code", type);
    return Map.of("error", error);
  }

  private static void error(ServerResponse response, int status, String type, String message) {
    response.status(Status.create(status));
    json(response, errorBody(type, message));
  }

  /// Lets running answers end, then stops.
  @Override
  public void close() {
    engine.close();
    web.stop();
    store.close();
  }
}
