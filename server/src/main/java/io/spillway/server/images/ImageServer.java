package io.spillway.server.images;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.diffusion.ImageModel;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.EventStream;
import io.spillway.server.http.HttpService;
import io.spillway.server.http.Listening;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/// Images over HTTP: `POST /generate` answers with JSON that holds base64, with a PNG file, or with
/// progress as server-sent events; `DELETE /generate/{id}` cancels; `/healthz` and `/metrics`
/// beside them.
///
/// Requests run on virtual threads; everything that touches libtorch runs on the engine's threads.
public final class ImageServer implements AutoCloseable {
  private final ImageModel model;
  private final ImageServerSettings settings;
  private final ImageMetrics metrics = new ImageMetrics();
  private final ImageEngine engine;
  private final HttpService web;
  private final AtomicLong numbers = new AtomicLong();

  private ImageServer(ImageModel model, ImageServerSettings settings) {
    settings.job().check(model.denoiser(), settings.ranks());
    this.model = model;
    this.settings = settings;
    this.engine = new ImageEngine(settings.ranks(), settings.queued(), metrics);
    this.web = new HttpService(settings.listening(), metrics::render, this::route);
  }

  /// Starts listening.
  public static ImageServer start(ImageModel model, ImageServerSettings settings) {
    ImageServer server = new ImageServer(model, settings);
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
    Listening listening = settings.listening();
    routing
        .post("/generate", HttpService.guarded(listening, this::generate))
        .delete("/generate/{id}", HttpService.guarded(listening, this::cancel));
  }

  private void generate(ServerRequest request, ServerResponse response)
      throws InterruptedException {
    ImageRequest wanted = new ImageRequest(HttpService.body(request), model, settings);
    long number = numbers.incrementAndGet();
    boolean stream = wanted.stream();
    boolean png = wanted.png();
    ImageTask task =
        wanted.task(
            "image-" + number,
            new Seeds(settings.seed()).stream("request", number).nextInt(1 << 30));
    metrics.request();
    if (!engine.submit(task)) {
      metrics.refused();
      HttpService.full(response, metrics.retryAfterSeconds());
      return;
    }
    if (stream) {
      stream(task, response);
      return;
    }
    while (true) {
      switch (task.next(() -> engine.cancel(task.id()))) {
        case ImageTask.Event.Progress _ -> {}
        case ImageTask.Event.Done done -> {
          if (png) {
            response.header(HeaderNames.CONTENT_TYPE, "image/png");
            response.send(done.files().getFirst());
          } else {
            HttpService.json(response, answer(task, done));
          }
          return;
        }
        case ImageTask.Event.Cancelled _ -> {
          HttpService.error(response, 409, "cancelled", "the request was cancelled");
          return;
        }
        case ImageTask.Event.Failed failed -> throw failed.cause();
      }
    }
  }

  /// Events `accepted`, `progress`, then `done`, `cancelled` or `error`; a client that left cancels
  /// its task.
  private void stream(ImageTask task, ServerResponse response) throws InterruptedException {
    boolean ended = false;
    try (EventStream events = new EventStream(response)) {
      events.event("accepted", Json.line(Map.of("id", task.id(), "notes", task.notes())));
      while (true) {
        switch (task.next(() -> engine.cancel(task.id()))) {
          case ImageTask.Event.Progress(int step, int steps) ->
              events.event("progress", Json.line(Map.of("step", step, "steps", steps)));
          case ImageTask.Event.Done done -> {
            ended = true;
            events.event("done", Json.line(answer(task, done)));
            return;
          }
          case ImageTask.Event.Cancelled _ -> {
            ended = true;
            events.event("cancelled", Json.line(Map.of("id", task.id())));
            return;
          }
          case ImageTask.Event.Failed failed -> {
            ended = true;
            events.event(
                "error", Json.line(HttpService.errorBody("server_error", "the images failed")));
            throw failed.cause();
          }
        }
      }
    } finally {
      if (!ended) {
        engine.cancel(task.id()); // whatever the web server throws when a client has left
      }
    }
  }

  private static Map<String, Object> answer(ImageTask task, ImageTask.Event.Done done) {
    List<String> images = done.files().stream().map(Base64.getEncoder()::encodeToString).toList();
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("id", task.id());
    answer.put("images", images);
    answer.put("parameters", done.parameters());
    answer.put("notes", task.notes());
    answer.put("seconds", done.seconds());
    return answer;
  }

  private void cancel(ServerRequest request, ServerResponse response) {
    String id = request.path().pathParameters().get("id");
    if (!engine.cancel(id)) {
      throw SpillwayException.notFound("no request '%s' waits or is drawn", id);
    }
    HttpService.json(response, Map.of("id", id, "cancelled", true));
  }

  /// Lets accepted requests end, then stops.
  @Override
  public void close() {
    engine.close();
    web.close();
  }
}
