package io.spillway.server.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.sampling.FlowEuler;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.Listening;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The image service over real HTTP, with a small random model.
final class ImageServerIT {
  private static final String SLOW = "{\"class\": 1, \"steps\": 1000, \"stream\": true}";

  private final ImageModel model = model();
  private final HttpClient client = HttpClient.newHttpClient();
  private final ImageServer server = start(Optional.empty(), 2);

  private static ImageModel model() {
    DitConfig config = new DitConfig(2, 4, 8, 4, 3, 3, 16, 5);
    Dit dit = new Dit(config, Parameters.random(config.parameters(), new Seeds(2)));
    return new ImageModel("tiny", dit, new FlowEuler(1), 5, 16, 1, null, null);
  }

  private ImageServer start(Optional<String> key, int queued) {
    Job job = new Job(new Strategy.Single(), false, 1, 4, new FlowEuler(1), 2.5, 16, 16);
    return ImageServer.start(
        model,
        new ImageServerSettings(
            new Listening("127.0.0.1", 0, key, 10_000), job, 1, queued, 4, 64, 7));
  }

  @AfterEach
  void close() {
    server.close();
    model.close();
  }

  private static HttpRequest.Builder to(ImageServer server, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
  }

  private HttpResponse<byte[]> post(String body) throws Exception {
    return client.send(
        to(server, "/generate").POST(HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  private String get(String path) throws Exception {
    return client.send(to(server, path).build(), HttpResponse.BodyHandlers.ofString()).body();
  }

  private static JsonNode json(byte[] body) {
    return Json.parse(new String(body, StandardCharsets.UTF_8), JsonNode.class, "answer");
  }

  private void refused(String body, String words) throws Exception {
    HttpResponse<byte[]> answer = post(body);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(json(answer.body()).path("error").path("message").asString()).contains(words);
  }

  @Test
  void answersWithBase64OrPng() throws Exception {
    HttpResponse<byte[]> both = post("{\"class\": 3, \"seed\": 9, \"count\": 2, \"steps\": 3}");
    assertThat(both.statusCode()).isEqualTo(200);
    JsonNode answer = json(both.body());
    assertThat(answer.path("images").size()).isEqualTo(2);
    byte[] second = Base64.getDecoder().decode(answer.path("images").path(1).asString());
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(second));
    assertThat(image.getWidth()).isEqualTo(16);
    assertThat(answer.path("parameters").path(1).path("seed").asString()).isEqualTo("10");
    assertThat(answer.path("parameters").path(1).path("steps").asString()).isEqualTo("3");

    HttpResponse<byte[]> png =
        post("{\"class\": 3, \"seed\": 10, \"steps\": 3, \"format\": \"png\"}");
    assertThat(png.headers().firstValue("Content-Type")).contains("image/png");
    BufferedImage alone = ImageIO.read(new ByteArrayInputStream(png.body()));
    for (int i = 0; i < 256; i++) {
      int a = alone.getRGB(i % 16, i / 16);
      int b = image.getRGB(i % 16, i / 16);
      assertThat(Math.abs((a & 255) - (b & 255))).isLessThanOrEqualTo(1);
    }
    assertThat(new String(png.body(), StandardCharsets.ISO_8859_1)).contains("tEXtseed\0" + "10");
  }

  @Test
  void withoutASeedEveryRequestHasItsOwn() throws Exception {
    String one =
        json(post("{\"class\": 1}").body()).path("parameters").path(0).path("seed").asString();
    String two =
        json(post("{\"class\": 1}").body()).path("parameters").path(0).path("seed").asString();
    assertThat(one).isNotEqualTo(two);
  }

  @Test
  void tellsEveryStepThenTheImages() throws Exception {
    List<String> lines =
        new String(
                post("{\"class\": 2, \"steps\": 3, \"stream\": true}").body(),
                StandardCharsets.UTF_8)
            .lines()
            .filter(l -> !l.isEmpty())
            .toList();
    assertThat(lines.get(0)).isEqualTo("event: accepted");
    assertThat(lines.get(2)).isEqualTo("event: progress");
    JsonNode progress =
        json(lines.get(3).substring("data: ".length()).getBytes(StandardCharsets.UTF_8));
    assertThat(progress.path("step").asInt()).isEqualTo(1);
    assertThat(progress.path("steps").asInt()).isEqualTo(3);
    assertThat(lines.stream().filter("event: progress"::equals)).hasSize(3);
    assertThat(lines.get(8)).isEqualTo("event: done");
    assertThat(lines.get(9)).contains("\"images\"");
  }

  /// Opens a stream and waits until it is accepted.
  private record Open(BufferedReader lines, String id) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      lines.close();
    }
  }

  private Open open() throws Exception {
    HttpResponse<InputStream> answer =
        client.send(
            to(server, "/generate").POST(HttpRequest.BodyPublishers.ofString(SLOW)).build(),
            HttpResponse.BodyHandlers.ofInputStream());
    assertThat(answer.statusCode()).isEqualTo(200);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
    assertThat(lines.readLine()).isEqualTo("event: accepted");
    JsonNode accepted = Json.parse(lines.readLine().substring(6), JsonNode.class, "event");
    return new Open(lines, accepted.path("id").asString());
  }

  private void until(String metric) throws Exception {
    for (int i = 0; i < 400; i++) {
      if (get("/metrics").contains(metric + "\n")) {
        return;
      }
      Thread.sleep(25);
    }
    throw new AssertionError(metric + " is not in " + get("/metrics"));
  }

  private int delete(String id) throws Exception {
    return client
        .send(
            to(server, "/generate/" + id).DELETE().build(), HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }

  @Test
  void aFullQueueRefusesAndCancellingFreesIt() throws Exception {
    List<Open> opened = new ArrayList<>();
    opened.add(open());
    until("spillway_active 1");
    opened.add(open());
    opened.add(open());
    HttpResponse<byte[]> refused = post("{\"class\": 1}");
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.headers().firstValueAsLong("Retry-After").orElse(0)).isPositive();
    assertThat(get("/metrics")).contains("spillway_refused_total 1\n", "spillway_waiting 2\n");

    assertThat(delete(opened.get(2).id())).isEqualTo(200); // waits
    assertThat(delete(opened.get(0).id())).isEqualTo(200); // is drawn
    for (int i : new int[] {2, 0}) {
      assertThat(opened.get(i).lines().lines().toList()).contains("event: cancelled");
    }
    assertThat(delete(opened.get(0).id())).isEqualTo(404);
    assertThat(delete(opened.get(1).id())).isEqualTo(200);
    until("spillway_active 0");
    assertThat(get("/metrics")).contains("spillway_cancelled_total 3\n");
    assertThat(post("{\"class\": 1, \"steps\": 1}").statusCode()).isEqualTo(200);
    for (Open o : opened) {
      o.close();
    }
  }

  @Test
  void aClientThatLeftCancelsItsTask() throws Exception {
    Open left = open();
    until("spillway_active 1");
    left.close();
    client.shutdownNow();
    HttpClient other = HttpClient.newHttpClient();
    for (int i = 0; i < 400; i++) {
      String metrics =
          other.send(to(server, "/metrics").build(), HttpResponse.BodyHandlers.ofString()).body();
      if (metrics.contains("spillway_cancelled_total 1\n")) {
        return;
      }
      Thread.sleep(25);
    }
    throw new AssertionError("the task of a client that left goes on");
  }

  @Test
  void aClientThatLeavesBeforeAWholeAnswerCancelsItsTask() throws Exception {
    String body = SLOW.replace("\"stream\": true", "\"stream\": false");
    assertThat(body).isNotEqualTo(SLOW);
    List<Socket> clients = new ArrayList<>();
    for (int i = 0; i < 2; i++) { // one is drawn, one waits
      Socket socket = new Socket("127.0.0.1", server.port());
      clients.add(socket);
      String head = "POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length();
      socket.getOutputStream().write((head + "\r\n\r\n" + body).getBytes(StandardCharsets.UTF_8));
    }
    until("spillway_active 1");
    until("spillway_waiting 1");
    for (Socket left : clients) {
      left.setSoLinger(true, 0);
      left.close();
    }
    until("spillway_cancelled_total 2");
    until("spillway_active 0");
  }

  @Test
  void badRequestsAreToldInOneLine() throws Exception {
    refused("{\"class\": 9}", "class 9: the model knows 0 to 4");
    refused("{\"klass\": 1}", "did you mean 'class'");
    refused("{\"class\": 1, \"steps\": 0}", "'steps' must be a whole number from 1 to 1000");
    refused("{\"class\": 1, \"size\": 18}", "multiples of 4");
    refused("{\"class\": 1, \"size\": 128}", "'size' must be a whole number from 1 to 64");
    refused("{\"class\": 1, \"count\": 5}", "'count' must be a whole number from 1 to 4");
    refused("{\"class\": 1, \"sampler\": \"ddim\"}", "trained for flow-euler");
    refused("{\"class\": 1, \"seed\": \"x\"}", "'seed' must be a whole number");
    refused("{\"class\": 1, \"negative_prompt\": \"x\"}", "no text to avoid");
    refused("{\"class\": 1, \"count\": 2, \"format\": \"png\"}", "for one image");
    refused("{}", "'class' must be a name or a number");
    refused("[1]", "must be a JSON object");
    refused("{", "request");
    assertThat(post("x".repeat(20_000)).statusCode()).isEqualTo(413);
    assertThat(get("/healthz")).isEqualTo("ok\n");
  }

  @Test
  void aKeyIsAskedFor() throws Exception {
    try (ImageServer guarded = start(Optional.of("secret"), 2)) {
      HttpRequest.Builder ask =
          to(guarded, "/generate").POST(HttpRequest.BodyPublishers.ofString("{\"class\": 1}"));
      assertThat(client.send(ask.build(), HttpResponse.BodyHandlers.discarding()).statusCode())
          .isEqualTo(401);
      ask.header("Authorization", "Bearer secret");
      assertThat(client.send(ask.build(), HttpResponse.BodyHandlers.discarding()).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void acceptedRequestsEndBeforeTheServiceDoes() throws Exception {
    ImageServer own = start(Optional.empty(), 2);
    CompletableFuture<HttpResponse<String>> answer =
        client.sendAsync(
            to(own, "/generate")
                .POST(HttpRequest.BodyPublishers.ofString("{\"class\": 1, \"steps\": 60}"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    for (int i = 0; i < 400; i++) {
      String metrics =
          client.send(to(own, "/metrics").build(), HttpResponse.BodyHandlers.ofString()).body();
      if (metrics.contains("spillway_active 1\n")) {
        break;
      }
      Thread.sleep(5);
    }
    own.close();
    assertThat(answer.get().statusCode()).isEqualTo(200);
  }

  @Test
  void aTakenPortIsNamed() {
    Job job = new Job(new Strategy.Single(), false, 1, 4, new FlowEuler(1), 1, 16, 16);
    ImageServerSettings taken =
        new ImageServerSettings(
            new Listening("127.0.0.1", server.port(), Optional.empty(), 1000), job, 1, 1, 1, 64, 1);
    assertThatThrownBy(() -> ImageServer.start(model, taken))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("choose another --port");
  }
}
