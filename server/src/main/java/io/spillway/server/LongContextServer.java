package io.spillway.server;

import static io.spillway.server.http.HttpService.json;

import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.longcontext.LongContextModel;
import io.spillway.models.ChatTemplate;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.EventStream;
import io.spillway.server.http.HttpService;
import io.spillway.server.http.Listening;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// OpenAI's API over one model: chat completions, completions, models, and stored contexts under
/// `/v1/sessions`; `/healthz` and `/metrics` beside them.
///
/// Requests run on virtual threads; everything that touches libtorch runs on the engine's thread.
public final class LongContextServer implements AutoCloseable {
  private static final long RETRY_AFTER_SECONDS = 1;

  private final LongContextModel model;
  private final ServerSettings settings;
  private final Metrics metrics = new Metrics();
  private final SessionStore store;
  private final Engine engine;
  private final Listening listening;
  private final HttpService web;
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
    this.listening =
        new Listening(settings.host(), settings.port(), settings.apiKey(), settings.largestBody());
    this.web = new HttpService(listening, () -> metrics.render(store), this::route);
  }

  private static @Nullable ChatTemplate template(LongContextModel model) {
    try {
      return model.chatTemplate();
    } catch (SpillwayException e) {
      return null; // plain completions still work; a chat request is told why it does not
    }
  }

  /// Starts listening.
  public static LongContextServer start(LongContextModel model, ServerSettings settings) {
    LongContextServer server = new LongContextServer(model, settings);
    try {
      server.web.start();
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }

  /// The port it listens on.
  public int port() {
    return web.port();
  }

  private void route(HttpRouting.Builder routing) {
    routing
        .get("/v1/models", guarded((request, response) -> json(response, models())))
        .get("/v1/sessions", guarded((request, response) -> json(response, sessions())))
        .post("/v1/sessions", guarded(this::storeContext))
        .delete("/v1/sessions/{id}", guarded(this::removeContext))
        .post("/v1/chat/completions", guarded((q, r) -> complete(q, r, true)))
        .post("/v1/completions", guarded((q, r) -> complete(q, r, false)));
  }

  private Handler guarded(HttpService.Exchange exchange) {
    return HttpService.guarded(listening, exchange);
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
    return new ApiRequest(HttpService.body(request));
  }

  private boolean submit(Job job, ServerResponse response) {
    metrics.request();
    if (engine.submit(job)) {
      return true;
    }
    metrics.refused();
    HttpService.full(response, RETRY_AFTER_SECONDS);
    return false;
  }

  private Job.Event next(Job job) throws InterruptedException {
    return job.next(() -> engine.cancel(job));
  }

  private void storeContext(ServerRequest request, ServerResponse response)
      throws InterruptedException {
    Job job = read(request).store(model, settings);
    if (!submit(job, response)) {
      return;
    }
    switch (next(job)) {
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
      switch (next(job)) {
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
    Job.Event event = next(job);
    if (event instanceof Job.Event.Failed failed) {
      throw failed(failed);
    }
    boolean ended = false;
    try (EventStream events = new EventStream(response)) {
      boolean first = true;
      while (true) {
        switch (event) {
          case Job.Event.Piece piece -> events.data(Json.line(replies.piece(piece.text(), first)));
          case Job.Event.Failed failed -> {
            ended = true;
            events.data(Json.line(HttpService.errorBody("server_error", "the answer failed")));
            throw failed(failed);
          }
          case Job.Event.Done done -> {
            ended = true;
            events.data(Json.line(replies.last(done)));
            if (usage) {
              events.data(Json.line(replies.usage(done)));
            }
            events.data("[DONE]");
            return;
          }
        }
        first = false;
        event = next(job);
      }
    } finally {
      if (!ended) {
        engine.cancel(job); // whatever the web server throws when a client has left
      }
    }
  }

  /// Lets running answers end, then stops.
  @Override
  public void close() {
    engine.close();
    web.close();
    store.close();
  }
}
