package io.spillway.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.platform.Json;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Torch;
import io.spillway.testkit.TestData;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Drives the service over real sockets, with the small model that comes along.
class LongContextServerIT {
  private static final String KEY = "test-key";
  private static final String QUESTION =
      "The pass key is 48213. Remember it. The fox finds the old tower. What is the pass key?";

  @TempDir Path folder;

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static LongContextModel model() {
    Path own = TestData.repository().resolve("longcontext").resolve("model");
    return LongContextModel.open(own, DType.F32, Devices.cpu(), Optional.empty());
  }

  private static LongContextServer start(LongContextModel model, int active, int queued, Path in) {
    return LongContextServer.start(
        model,
        new ServerSettings(
            "127.0.0.1",
            0,
            Optional.of(KEY),
            active,
            queued,
            200_000,
            Optional.of(in),
            new Policy.StreamingLlm(),
            new CacheSettings(64, 64, 32, 1, 1, false)));
  }

  private HttpRequest.Builder to(LongContextServer server, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
        .header("Authorization", "Bearer " + KEY)
        .timeout(Duration.ofSeconds(60));
  }

  private HttpResponse<String> post(LongContextServer server, String path, String body)
      throws Exception {
    return http.send(
        to(server, path).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> get(LongContextServer server, String path) throws Exception {
    return http.send(to(server, path).GET().build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String chat(String question, int most, boolean stream) {
    return Json.line(
        Map.of(
            "messages",
            List.of(Map.of("role", "user", "content", question)),
            "max_tokens",
            most,
            "stream",
            stream));
  }

  @Test
  void openAisOwnClientIsServed() throws Exception {
    Assumptions.assumeTrue(runs("npm", "--version"), "npm is absent");
    Files.writeString(folder.resolve("package.json"), "{\"private\": true}");
    try (InputStream script = LongContextServerIT.class.getResourceAsStream("/openai-client.mjs")) {
      Files.write(folder.resolve("client.mjs"), script.readAllBytes());
    }
    Assumptions.assumeTrue(
        runs("npm", "install", "--no-audit", "--no-fund", "--silent", "openai"),
        "the package openai cannot be installed here");
    try (LongContextModel model = model();
        LongContextServer server = start(model, 4, 8, folder)) {
      Process node =
          new ProcessBuilder("node", "client.mjs", "http://127.0.0.1:" + server.port() + "/v1", KEY)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .start();
      String out = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(node.waitFor()).as(out).isZero();
      JsonNode said = Json.parse(out, JsonNode.class, "client");

      assertThat(said.path("model").asString()).isEqualTo("model");
      assertThat(said.path("whole").asString()).contains("48213");
      assertThat(said.path("streamed").asString()).isEqualTo(said.path("whole").asString());
      assertThat(said.path("finish").asString()).isEqualTo("stop");
      assertThat(said.path("total").asInt()).isGreaterThan(20);
      assertThat(said.path("plain").asString()).isEqualTo(" 48213");
      assertThat(said.path("wrong").asString()).isEqualTo("BadRequestError 400");
    }
  }

  private boolean runs(String... command) throws Exception {
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void sixtyFourStreamsAtOnceAllEnd() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 16, 64, folder)) {
      List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        String question = QUESTION.replace("48213", String.valueOf(31000 + 97 * i));
        streams.add(
            http.sendAsync(
                to(server, "/v1/chat/completions")
                    .POST(HttpRequest.BodyPublishers.ofString(chat(question, 16, true)))
                    .build(),
                HttpResponse.BodyHandlers.ofString()));
      }
      int right = 0;
      for (int i = 0; i < 64; i++) {
        HttpResponse<String> response = streams.get(i).get(60, TimeUnit.SECONDS);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
        StringBuilder text = new StringBuilder();
        for (String line : response.body().split("\n\n")) {
          String data = line.substring("data: ".length());
          if (!data.equals("[DONE]")) {
            JsonNode delta =
                Json.parse(data, JsonNode.class, "event").path("choices").path(0).path("delta");
            text.append(delta.path("content").asString(""));
          }
        }
        right += text.toString().contains(String.valueOf(31000 + 97 * i)) ? 1 : 0;
      }
      // each stream has its own cache: answers must not mix
      assertThat(right).isGreaterThanOrEqualTo(62);
    }
  }

  @Test
  void aLongPromptDoesNotHoldUpAnAnswerThatGrows() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 4, 8, folder)) {
      // given an answer that grows as long as it may
      AtomicInteger pieces = new AtomicInteger();
      HttpResponse<Stream<String>> growing =
          http.send(
              to(server, "/v1/completions")
                  .POST(
                      HttpRequest.BodyPublishers.ofString(
                          "{\"prompt\": \"The fox\", \"max_tokens\": 400, \"stream\": true,"
                              + " \"temperature\": 2}"))
                  .build(),
              HttpResponse.BodyHandlers.ofLines());
      Iterator<String> lines = growing.body().iterator();
      lines.next();
      Thread reader =
          Thread.startVirtualThread(
              () -> lines.forEachRemaining(line -> pieces.addAndGet(line.isEmpty() ? 0 : 1)));
      // when a prompt of some sixty chunks comes
      int before = pieces.get();
      String filler = "The fox finds the old tower. ".repeat(550);
      HttpResponse<String> other =
          post(server, "/v1/completions", Json.line(Map.of("prompt", filler, "max_tokens", 1)));
      int during = pieces.get() - before;
      // then the answer grew between its chunks, or was through before them
      assertThat(other.statusCode()).as(other.body()).isEqualTo(200);
      boolean ended = !reader.isAlive();
      assertThat(during).isGreaterThan(ended ? 5 : 30);
      reader.join();
    }
  }

  @Test
  void aFullQueueRefusesWithRetryAfter() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 1, 0, folder)) {
      List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        all.add(
            http.sendAsync(
                to(server, "/v1/completions")
                    .POST(
                        HttpRequest.BodyPublishers.ofString(
                            "{\"prompt\": \"The fox\", \"max_tokens\": 60}"))
                    .build(),
                HttpResponse.BodyHandlers.ofString()));
      }
      int refused = 0;
      for (CompletableFuture<HttpResponse<String>> one : all) {
        HttpResponse<String> response = one.get(60, TimeUnit.SECONDS);
        if (response.statusCode() == 429) {
          refused++;
          assertThat(response.headers().firstValue("Retry-After")).isPresent();
        } else {
          assertThat(response.statusCode()).isEqualTo(200);
        }
      }
      assertThat(refused).isPositive();
      assertThat(get(server, "/metrics").body()).contains("spillway_refused_total " + refused);
    }
  }

  @Test
  void badRequestsAreToldAndTheServiceGoesOn() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 4, 8, folder)) {
      String path = "/v1/chat/completions";
      assertBad(post(server, path, "{\"messages\": ["), "request:1:");
      assertBad(post(server, path, "[1]"), "must be a JSON object");
      assertBad(post(server, path, "{\"messages\": \"hi\"}"), "'messages' must be a list");
      assertBad(
          post(server, path, "{\"messages\": [{\"role\": \"user\", \"content\": 7}]}"),
          "'content' must be a text");
      assertBad(
          post(server, path, chat("hi", 5, false).replace("5", "\"many\"")), "'max_tokens' must");
      assertBad(
          post(server, "/v1/completions", "{\"prompt\": \"a\", \"policy\": \"lru\"}"),
          "unknown policy 'lru'");
      assertBad(
          post(server, "/v1/completions", "{\"prompt\": \"a\", \"temperature\": -1}"),
          "temperature is -1.0");
      assertThat(post(server, path, chat("x".repeat(300_000), 5, false)).statusCode())
          .isEqualTo(413);
      assertThat(
              http.send(
                      HttpRequest.newBuilder(
                              URI.create("http://127.0.0.1:" + server.port() + "/v1/models"))
                          .build(),
                      HttpResponse.BodyHandlers.ofString())
                  .statusCode())
          .isEqualTo(401);
      assertThat(get(server, "/healthz").body()).isEqualTo("ok\n");
      assertThat(post(server, path, chat(QUESTION, 16, false)).body()).contains("48213");
    }
  }

  private static void assertBad(HttpResponse<String> response, String message) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode error = Json.parse(response.body(), JsonNode.class, "body").path("error");
    assertThat(error.path("message").asString()).contains(message);
  }

  @Test
  void clientsThatLeaveFreeTheirMemory() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 8, 64, folder)) {
      post(server, "/v1/completions", "{\"prompt\": \"The fox\", \"max_tokens\": 4}");
      long before = settled(server);
      for (int i = 0; i < 12; i++) {
        String body =
            "{\"prompt\": \"The fox\", \"max_tokens\": 1000000, \"stream\": true,"
                + " \"temperature\": 2}";
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
          String head =
              "POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                  + KEY
                  + "\r\nContent-Length: "
                  + body.length()
                  + "\r\n\r\n";
          socket.getOutputStream().write((head + body).getBytes(StandardCharsets.UTF_8));
          socket.getOutputStream().flush();
          assertThat(socket.getInputStream().read()).isEqualTo('H');
          socket.setSoLinger(true, 0); // the client is killed
        }
      }
      assertThat(settled(server)).isLessThanOrEqualTo(before);
      assertThat(post(server, "/v1/chat/completions", chat(QUESTION, 16, false)).body())
          .contains("48213");
    }
  }

  /// A request of its own connection, as bytes.
  private static Socket send(LongContextServer server, String body) throws IOException {
    Socket socket = new Socket("127.0.0.1", server.port());
    String head =
        "POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            + KEY
            + "\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n";
    socket.getOutputStream().write((head + body).getBytes(StandardCharsets.UTF_8));
    socket.getOutputStream().flush();
    return socket;
  }

  private static void kill(List<Socket> clients) throws IOException {
    for (Socket client : clients) {
      client.setSoLinger(true, 0);
      client.close();
    }
  }

  private void until(LongContextServer server, String pattern) throws Exception {
    for (int i = 0; i < 3000; i++) {
      if (Pattern.compile(pattern).matcher(get(server, "/metrics").body()).find()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new AssertionError(pattern + " is not in " + get(server, "/metrics").body());
  }

  private static String longPrompt(int sentences) {
    return Json.line(
        Map.of("prompt", "The fox finds the old tower. ".repeat(sentences), "max_tokens", 1));
  }

  @Test
  void aClientThatLeavesBeforeAWholeAnswerFreesItsPlace() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 1, 64, folder)) {
      post(server, "/v1/completions", "{\"prompt\": \"The fox\", \"max_tokens\": 4}");
      long before = settled(server);
      List<Socket> clients = new ArrayList<>();
      for (int i = 0; i < 6; i++) { // the prompt of one is read, the others wait for its place
        clients.add(send(server, longPrompt(6000)));
      }
      until(server, "spillway_waiting 5\n(?s:.*)spillway_active 1\n");
      kill(clients);
      assertThat(settled(server)).isLessThanOrEqualTo(before);
      assertThat(get(server, "/metrics").body())
          .contains("spillway_cancelled_total 6\n", "spillway_answer_tokens_total 4\n");
      assertThat(post(server, "/v1/chat/completions", chat(QUESTION, 16, false)).body())
          .contains("48213");
    }
  }

  @Test
  void aClientThatLeavesWhileItsWholeAnswerGrowsEndsIt() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 16, 64, folder)) {
      post(server, "/v1/completions", "{\"prompt\": \"The fox\", \"max_tokens\": 4}");
      long before = settled(server);
      List<Socket> clients = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        clients.add(
            send(server, "{\"prompt\": \"The fox\", \"max_tokens\": 400, \"temperature\": 2}"));
      }
      until(server, "spillway_answer_tokens_total [1-9][0-9]");
      kill(clients);
      assertThat(settled(server)).isLessThanOrEqualTo(before);
      assertThat(get(server, "/metrics").body()) // a fast machine may have ended some before
          .containsPattern("spillway_cancelled_total [1-9]");
    }
  }

  @Test
  void whatAClientSendsAheadIsItsNextRequest() throws Exception {
    try (LongContextModel model = model();
        LongContextServer server = start(model, 1, 4, folder);
        Socket socket = send(server, longPrompt(600))) {
      String second = "GET /v1/models HTTP/1.1\r\nHost: x\r\n";
      String key = "Authorization: Bearer " + KEY + "\r\n\r\n";
      until(server, "spillway_active 1\n");
      for (String part : List.of(second.substring(0, 9), second.substring(9), key)) {
        socket.getOutputStream().write(part.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
        Thread.sleep(250); // the watch meets each part alone
      }
      socket.setSoTimeout(60_000);
      StringBuilder both = new StringBuilder();
      while (!both.toString().contains("\"owned_by\"")) {
        int next = socket.getInputStream().read();
        assertThat(next).as(both.toString()).isNotNegative();
        both.append((char) next);
      }
      assertThat(both.toString().split("HTTP/1.1 200", -1)).hasSize(3);
      assertThat(both).contains("text_completion");
    }
  }

  /// Native objects once nothing runs any more.
  private long settled(LongContextServer server) throws Exception {
    for (int i = 0; i < 300; i++) {
      String metrics = get(server, "/metrics").body();
      if (metrics.contains("spillway_active 0\n") && metrics.contains("spillway_waiting 0\n")) {
        Thread.sleep(100);
        return Torch.liveObjects();
      }
      Thread.sleep(100);
    }
    throw new AssertionError("answers still grow: " + get(server, "/metrics").body());
  }

  @Test
  void aStoredContextAnswersManyQuestionsAndSurvivesARestart() throws Exception {
    String context =
        " The special magic number for amber fox is: 48213. The owl watches the deep river."
            + " The special magic number for royal lamp is: 90576. The bird sees the grand hill.";
    Path stored = folder.resolve("stored");
    Files.createDirectories(stored);
    try (LongContextModel model = model()) {
      try (LongContextServer server = start(model, 4, 8, stored)) {
        HttpResponse<String> made =
            post(server, "/v1/sessions", Json.line(Map.of("id", "facts", "context", context)));
        assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
        assertAnswers(server);
        assertBad(
            post(server, "/v1/sessions", "{\"id\": \"../x\", \"context\": \"a\"}"),
            "session id '../x'");
      }
      try (LongContextServer server = start(model, 4, 8, stored)) {
        assertThat(get(server, "/v1/sessions").body()).contains("\"facts\"");
        assertAnswers(server);
        HttpResponse<String> removed =
            http.send(
                to(server, "/v1/sessions/facts").DELETE().build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(removed.statusCode()).isEqualTo(200);
        assertThat(ask(server, "amber fox").statusCode()).isEqualTo(404);
      }
    }
  }

  private void assertAnswers(LongContextServer server) throws Exception {
    assertThat(ask(server, "amber fox").body()).contains("48213");
    assertThat(ask(server, "royal lamp").body()).contains("90576");
    assertThat(ask(server, "amber fox").body()).contains("48213");
  }

  private HttpResponse<String> ask(LongContextServer server, String key) throws Exception {
    String prompt =
        " What is the special magic number for "
            + key
            + " mentioned in the text? The special magic number for "
            + key
            + " is:";
    return post(
        server,
        "/v1/completions",
        Json.line(Map.of("prompt", prompt, "session", "facts", "max_tokens", 5)));
  }
}
