import io.spillway.platform.Json;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/// Clients of the text service (soak.sh starts it): `Soak SECONDS OUT.json SESSIONS_DIR -- COMMAND...`. Beside what every
/// soak does: stored contexts, which survive restarts, and the small disk that they lie on, filled now and then.
public final class Soak extends SoakRun {
  private static final String DONE = "(?s).*data: \\[DONE\\]\n\n";

  private final Path sessions;

  private Soak(Path sessions, List<String> command) {
    super(command);
    this.sessions = sessions;
  }

  public static void main(String[] args) throws Exception {
    new Soak(Path.of(args[2]), List.of(args).subList(4, args.length)).main(Integer.parseInt(args[0]), Path.of(args[1]));
  }

  @Override
  void started(String when) throws Exception {
    if (when.equals("first")) {
      storeContext("kept", 90_210);
    } else {
      askStored("kept", 90_210, when);
    }
  }

  @Override
  void ended() throws Exception {
    askStored("kept", 90_210, "at the end");
  }

  @Override
  List<Act> others() {
    return List.of(() -> fullDisk(new Random(7)));
  }

  @Override
  void sample(Map<String, Object> one) throws Exception {
    one.put("freeDiskBytes", freeBytes());
  }

  @Override
  List<String> metrics() {
    return List.of("spillway_active", "spillway_waiting", "spillway_cancelled_total", "spillway_native_objects", "spillway_sessions", "spillway_session_bytes");
  }

  @Override
  void act(Random random, Kind kind) throws Exception {
    switch (random.nextInt(14)) {
      case 0, 1, 2 -> ask(kind.name = "chat, streamed", random, true);
      case 3, 4 -> ask(kind.name = "chat, whole", random, false);
      case 5 -> {
        String body = "{\"prompt\": \"The fox\", \"max_tokens\": 60, \"stream\": true, \"temperature\": 2, \"seed\": " + random.nextInt(1000) + "}";
        slow(kind.name = "slow reader", "/v1/completions", body, DONE);
      }
      case 6, 7 -> {
        String body = "{\"prompt\": \"The fox\", \"max_tokens\": 400, \"stream\": " + random.nextBoolean() + ", \"temperature\": 2}";
        killed(kind.name = "killed client", "/v1/completions", body, random);
      }
      case 8 -> expect(kind.name = "malformed JSON", "/v1/chat/completions", "{\"messages\": [", 400);
      case 9 -> expect(kind.name = "wrong types", "/v1/completions", "{\"prompt\": 7, \"max_tokens\": \"many\"}", 400);
      case 10 -> expect(kind.name = "huge body", "/v1/completions", "{\"prompt\": \"" + "x".repeat(3_000_000) + "\"}", 413);
      case 11 -> sessionRound(kind.name = "session", random);
      case 12 -> {
        List<String> bodies = IntStream.range(0, 40).mapToObj(i -> chat(10_000 + random.nextInt(90_000), true)).toList();
        burst(kind.name = "burst of 40", "/v1/chat/completions", bodies, DONE);
      }
      default -> longPrompt(kind.name = "long prompt", random);
    }
  }

  private static String chat(int number, boolean stream) {
    String text = "The pass key is " + number + ". Remember it. The fox finds the old tower. What is the pass key?";
    return Json.line(Map.of("messages", List.of(Map.of("role", "user", "content", text)), "max_tokens", 16, "stream", stream));
  }

  private void ask(String kind, Random random, boolean stream) throws Exception {
    int number = 10_000 + random.nextInt(90_000);
    HttpResponse<String> response = post("/v1/chat/completions", chat(number, stream));
    if (refused(kind, response)) {
      return;
    }
    if (response.statusCode() != 200 || (stream && !response.body().endsWith("data: [DONE]\n\n"))) {
      throw new IOException(response.statusCode() + " " + end(response.body()));
    }
    asked.incrementAndGet();
    right.addAndGet(text(response.body(), stream).contains(String.valueOf(number)) ? 1 : 0);
    count(kind);
  }

  private static String text(String body, boolean stream) {
    if (!stream) {
      return body;
    }
    StringBuilder text = new StringBuilder();
    for (String line : body.split("\n\n")) {
      String data = line.substring("data: ".length());
      if (!data.equals("[DONE]")) {
        text.append(Json.parse(data, tools.jackson.databind.JsonNode.class, "event").path("choices").path(0).path("delta").path("content").asString(""));
      }
    }
    return text.toString();
  }

  private void longPrompt(String kind, Random random) throws Exception {
    int number = 10_000 + random.nextInt(90_000);
    String filler = "The fox finds the old tower. The bird sees the grand hill. ".repeat(20 + random.nextInt(60));
    String policy = List.of("locret", "snapkv", "streaming", "infllm", "h2o+merge", "snapkv+ada").get(random.nextInt(6));
    String body = Json.line(Map.of("prompt", filler + "The pass key is " + number + ". " + filler, "max_tokens", 8, "policy", policy));
    HttpResponse<String> response = post("/v1/completions", body);
    if (!refused(kind, response)) {
      if (response.statusCode() != 200) {
        throw new IOException(policy + ": " + response.statusCode() + " " + end(response.body()));
      }
      count(kind);
    }
  }

  private HttpResponse<String> storeContext(String id, int number) throws Exception {
    String text = " The special magic number for amber fox is: " + number + ". The owl watches the deep river. The bird sees the grand hill.";
    HttpResponse<String> made = post("/v1/sessions", Json.line(Map.of("id", id, "context", text)));
    while (refused("session", made)) {
      Thread.sleep(300);
      made = post("/v1/sessions", Json.line(Map.of("id", id, "context", text)));
    }
    return made;
  }

  private void askStored(String id, int number, String when) throws Exception {
    String prompt = " What is the special magic number for amber fox mentioned in the text? The special magic number for amber fox is:";
    String body = Json.line(Map.of("prompt", prompt, "session", id, "max_tokens", 6));
    HttpResponse<String> response = post("/v1/completions", body);
    while (refused("session", response)) {
      Thread.sleep(300);
      response = post("/v1/completions", body);
    }
    if (response.statusCode() != 200 || !response.body().contains(String.valueOf(number))) {
      fault("the stored context " + id + " did not answer " + when + ": " + response.statusCode() + " " + end(response.body()));
    } else {
      count("stored context answers " + when);
    }
  }

  private void sessionRound(String kind, Random random) throws Exception {
    String id = "s" + random.nextInt(4) + "-" + Thread.currentThread().threadId();
    HttpResponse<String> made = storeContext(id, 10_000 + random.nextInt(90_000));
    if (made.statusCode() == 507) {
      count(kind + ": 507 (disk full)");
      return;
    }
    if (made.statusCode() != 200) {
      throw new IOException(made.statusCode() + " " + end(made.body()));
    }
    HttpResponse<String> removed = HTTP.send(request("/v1/sessions/" + id).DELETE().build(), HttpResponse.BodyHandlers.ofString());
    if (removed.statusCode() != 200) {
      throw new IOException("delete " + removed.statusCode() + " " + end(removed.body()));
    }
    count(kind);
  }

  /// Fills the folder of stored contexts for a while, so that storing fails, and makes room again.
  private void fullDisk(Random random) {
    if (!Boolean.getBoolean("soak.disk")) {
      return;
    }
    Path hog = sessions.resolve("hog");
    while (!over.get()) {
      try {
        Thread.sleep(20_000 + random.nextInt(20_000));
        try (var out = Files.newOutputStream(hog)) {
          byte[] block = new byte[4096];
          while (true) {
            out.write(block);
          }
        } catch (IOException e) {
          count("disk filled");
        }
        if (!down.get()) {
          long free = freeBytes();
          HttpResponse<String> made = storeContext("does-not-fit", 11_111);
          if (made.statusCode() == 507) {
            count("stored on a full disk: 507");
          } else if (made.statusCode() == 200) { // another client removed a context meanwhile
            count("stored on a full disk: room was freed");
            System.err.println("soak: stored on a full disk with " + free + " bytes free before and " + freeBytes() + " after");
            HTTP.send(request("/v1/sessions/does-not-fit").DELETE().build(), HttpResponse.BodyHandlers.ofString());
          } else if (!down.get()) {
            fault("stored on a full disk: " + made.statusCode() + " " + end(made.body()));
          }
          if (get("/v1/sessions").contains("does-not-fit")) {
            fault("a context that was refused is listed");
          }
        }
        Thread.sleep(3_000);
      } catch (Exception e) {
        if (!down.get()) {
          fault("full disk: " + e);
        }
      } finally {
        try {
          Files.deleteIfExists(hog);
        } catch (IOException e) {
          fault("cannot empty the disk: " + e);
        }
      }
    }
  }

  private long freeBytes() throws IOException {
    return Files.getFileStore(sessions).getUsableSpace();
  }
}
