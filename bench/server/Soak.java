import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/// Clients of all kinds against one server for a given time (soak.sh starts it):
/// `Soak SECONDS OUT.json SESSIONS_DIR -- COMMAND...`. The server may be killed and started again between; only time in
/// which this process ran counts. Exit 1 if anything was lost: an answer without its end, an unexpected status, a stored
/// context that is gone, or memory that grew.
public final class Soak {
  private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final String KEY = "soak-key";

  private final Path sessions;

  /// How the server was ended last.
  private volatile String downBy = "nobody";
  private final List<String> command;
  private final Map<String, LongAdder> outcomes = new ConcurrentSkipListMap<>();
  private final List<String> faults = new ArrayList<>();
  private final List<Map<String, Object>> samples = new ArrayList<>();
  private final AtomicInteger right = new AtomicInteger();
  private final AtomicInteger asked = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicBoolean down = new AtomicBoolean();
  private volatile Process server;
  private volatile int port;

  private Soak(Path sessions, List<String> command) {
    this.sessions = sessions;
    this.command = command;
  }

  public static void main(String[] args) throws Exception {
    int seconds = Integer.parseInt(args[0]);
    Path out = Path.of(args[1]);
    Soak soak = new Soak(Path.of(args[2]), List.of(args).subList(4, args.length));
    Map<String, Object> told = soak.run(seconds);
    AtomicFiles.writeString(out, Json.write(told) + "\n");
    System.out.println(Json.line(told.get("verdict")));
    System.exit(((List<?>) told.get("faults")).isEmpty() ? 0 : 1);
  }

  private Map<String, Object> run(int seconds) throws Exception {
    start();
    storeContext("kept", 90_210);
    ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    for (int i = 0; i < 5; i++) {
      int number = i;
      clients.submit(() -> client(new Random(100 + number)));
    }
    clients.submit(() -> fullDisk(new Random(7)));
    double active = 0;
    double paused = 0;
    int restarts = 0;
    long last = System.nanoTime();
    double nextSample = 0;
    double nextRestart = seconds / 4.0;
    while (active < seconds) {
      Thread.sleep(1000);
      long now = System.nanoTime();
      double step = (now - last) / 1e9;
      last = now;
      if (step > 10) {
        paused += step; // stopped from outside
      } else {
        active += step;
      }
      if (active >= nextSample) {
        sample(active);
        nextSample = active + 10;
      }
      if (active >= nextRestart && restarts < 3) {
        restart(restarts++ % 2 == 0);
        nextRestart += seconds / 4.0;
        last = System.nanoTime();
      }
    }
    over.set(true);
    clients.shutdown();
    if (!clients.awaitTermination(15, TimeUnit.MINUTES)) {
      fault("clients did not end within 15 minutes");
    }
    settle();
    sample(active);
    askStored("kept", 90_210, "at the end");
    Map<String, Object> told = judge(seconds, active, paused, restarts);
    server.destroy();
    server.waitFor();
    return told;
  }

  // The server

  private void start() throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectError(ProcessBuilder.Redirect.appendTo(Path.of(System.getProperty("soak.log", "/dev/null")).toFile()));
    server = builder.start();
    BufferedReader lines = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
    while (true) {
      String line = lines.readLine();
      if (line == null) {
        throw new IOException("the server ended at once");
      }
      if (line.contains("serving http")) {
        port = URI.create(line.substring(line.indexOf("http"))).getPort();
        break;
      }
    }
    Thread.startVirtualThread(() -> lines.lines().forEach(l -> {}));
    down.set(false);
  }

  /// Ends the server, politely or by a kill, and starts it again; streams under way may break only by the kill.
  private void restart(boolean politely) throws Exception {
    downBy = politely ? "SIGTERM" : "SIGKILL";
    down.set(true);
    count(politely ? "restart after SIGTERM" : "restart after SIGKILL");
    if (politely) {
      server.destroy();
    } else {
      server.destroyForcibly();
    }
    server.waitFor();
    start();
    askStored("kept", 90_210, "after a restart");
  }

  private void sample(double at) {
    try {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("second", Math.round(at));
      one.put("process", server.pid());
      for (String line : Files.readAllLines(Path.of("/proc/" + server.pid() + "/status"))) {
        if (line.startsWith("VmRSS") || line.startsWith("RssAnon") || line.startsWith("Threads")) {
          one.put(line.split(":")[0], Long.parseLong(line.replaceAll("[^0-9]", "")));
        }
      }
      try (Stream<Path> open = Files.list(Path.of("/proc/" + server.pid() + "/fd"))) {
        one.put("descriptors", open.count());
      }
      one.put("freeDiskBytes", freeBytes());
      String metrics = get("/metrics");
      for (String name : List.of("spillway_active", "spillway_waiting", "spillway_cancelled_total", "spillway_native_objects", "spillway_sessions", "spillway_session_bytes")) {
        metrics.lines().filter(l -> l.startsWith(name + " ")).forEach(l -> one.put(name, (long) Double.parseDouble(l.substring(name.length() + 1))));
      }
      samples.add(one);
    } catch (Exception e) {
      if (!down.get()) {
        fault("no sample: " + e);
      }
    }
  }

  private void settle() throws Exception {
    for (int i = 0; i < 600; i++) {
      String metrics = get("/metrics");
      if (metrics.contains("spillway_active 0\n") && metrics.contains("spillway_waiting 0\n")) {
        Thread.sleep(2000);
        return;
      }
      Thread.sleep(500);
    }
    fault("answers still grew five minutes after the last client");
  }

  // Clients

  private void client(Random random) {
    while (!over.get()) {
      boolean begunDown = down.get();
      String kind = "?";
      try {
        switch (random.nextInt(14)) {
          case 0, 1, 2 -> ask(kind = "chat, streamed", random, true);
          case 3, 4 -> ask(kind = "chat, whole", random, false);
          case 5 -> slow(kind = "slow reader", random);
          case 6, 7 -> killed(kind = "killed client", random);
          case 8 -> expect(kind = "malformed JSON", "/v1/chat/completions", "{\"messages\": [", 400);
          case 9 -> expect(kind = "wrong types", "/v1/completions", "{\"prompt\": 7, \"max_tokens\": \"many\"}", 400);
          case 10 -> expect(kind = "huge body", "/v1/completions", "{\"prompt\": \"" + "x".repeat(3_000_000) + "\"}", 413);
          case 11 -> sessionRound(kind = "session", random);
          case 12 -> burst(kind = "burst of 40", random);
          default -> longPrompt(kind = "long prompt", random);
        }
        Thread.sleep(random.nextInt(60));
      } catch (Exception e) {
        if (begunDown || down.get()) {
          count(kind + ": cut by " + downBy);
          quietly(() -> Thread.sleep(300));
        } else {
          Throwable cause = e.getCause() == null ? e : e.getCause();
          quietly(() -> Thread.sleep(300));
          if (down.get()) { // the kill came first, its note after
            count(kind + ": cut by " + downBy);
          } else {
            count(kind + ": failed");
            fault(kind + ": " + cause);
          }
        }
      }
    }
  }

  private interface Act {
    void run() throws Exception;
  }

  private static void quietly(Act act) {
    try {
      act.run();
    } catch (Exception e) {
      Thread.currentThread().interrupt();
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

  private static String end(String body) {
    return body.substring(Math.max(0, body.length() - 200));
  }

  private boolean refused(String kind, HttpResponse<String> response) throws IOException {
    if (response.statusCode() != 429) {
      return false;
    }
    if (response.headers().firstValue("Retry-After").isEmpty()) {
      throw new IOException("429 without Retry-After");
    }
    count(kind + ": 429");
    return true;
  }

  private void slow(String kind, Random random) throws Exception {
    String body = "{\"prompt\": \"The fox\", \"max_tokens\": 60, \"stream\": true, \"temperature\": 2, \"seed\": " + random.nextInt(1000) + "}";
    HttpResponse<InputStream> response = HTTP.send(request("/v1/completions").POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      StringBuilder all = new StringBuilder();
      byte[] some = new byte[64];
      for (int n = in.read(some); n >= 0; n = in.read(some)) {
        all.append(new String(some, 0, n, StandardCharsets.UTF_8));
        Thread.sleep(20);
      }
      if (response.statusCode() == 429) {
        count(kind + ": 429");
      } else if (response.statusCode() != 200 || !all.toString().endsWith("data: [DONE]\n\n")) {
        throw new IOException(response.statusCode() + " " + end(all.toString()));
      } else {
        count(kind);
      }
    }
  }

  /// Leaves with a reset: before the answer, after its first byte, or in the middle of its own request.
  private void killed(String kind, Random random) throws Exception {
    String body = "{\"prompt\": \"The fox\", \"max_tokens\": 400, \"stream\": " + random.nextBoolean() + ", \"temperature\": 2}";
    try (Socket socket = new Socket("127.0.0.1", port)) {
      socket.setSoTimeout(600_000);
      String head = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY + "\r\nContent-Length: " + body.length() + "\r\n\r\n";
      int when = random.nextInt(3);
      String sent = head + body;
      socket.getOutputStream().write((when == 0 ? sent.substring(0, sent.length() - 10) : sent).getBytes(StandardCharsets.UTF_8));
      socket.getOutputStream().flush();
      if (when == 2) {
        socket.getInputStream().read();
      }
      socket.setSoLinger(true, 0);
    }
    count(kind);
  }

  private void expect(String kind, String path, String body, int status) throws Exception {
    HttpResponse<String> response;
    try {
      response = post(path, body);
    } catch (IOException e) {
      if (status == 413 && !down.get()) { // the server may close while the body is still sent
        count(kind + ": closed");
        return;
      }
      throw e;
    }
    if (response.statusCode() != status) {
      throw new IOException("wanted " + status + ", got " + response.statusCode() + " " + end(response.body()));
    }
    count(kind + ": " + status);
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

  private void burst(String kind, Random random) throws Exception {
    List<java.util.concurrent.CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(HTTP.sendAsync(request("/v1/chat/completions").POST(HttpRequest.BodyPublishers.ofString(chat(10_000 + random.nextInt(90_000), true))).build(), HttpResponse.BodyHandlers.ofString()));
    }
    for (var one : all) {
      HttpResponse<String> response = one.get();
      if (!refused(kind, response)) {
        if (response.statusCode() != 200 || !response.body().endsWith("data: [DONE]\n\n")) {
          throw new IOException(response.statusCode() + " " + end(response.body()));
        }
        count(kind);
      }
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

  // Helpers

  private long freeBytes() throws IOException {
    return Files.getFileStore(sessions).getUsableSpace();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).header("Authorization", "Bearer " + KEY).timeout(Duration.ofMinutes(20));
  }

  private HttpResponse<String> post(String path, String body) throws Exception {
    return HTTP.send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private String get(String path) throws Exception {
    return HTTP.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString()).body();
  }

  private void count(String outcome) {
    outcomes.computeIfAbsent(outcome, o -> new LongAdder()).increment();
  }

  private synchronized void fault(String what) {
    if (faults.size() < 50) {
      faults.add(what);
      System.err.println("soak: " + what);
    }
  }

  /// Memory of the last server process: the median of its last third against that of its second.
  private Map<String, Object> judge(int seconds, double active, double paused, int restarts) {
    Map<String, Object> told = new LinkedHashMap<>();
    List<Map<String, Object>> own = samples.stream().filter(s -> s.get("process").equals(server.pid())).toList();
    double middle = median(own.subList(own.size() / 3, 2 * own.size() / 3));
    double late = median(own.subList(2 * own.size() / 3, own.size()));
    double growth = late / middle - 1;
    if (growth > 0.1) {
      fault(String.format(java.util.Locale.ROOT, "resident memory grew by %.1f %% over the last process", 100 * growth));
    }
    double share = right.get() / (double) Math.max(1, asked.get());
    if (share < 0.9) {
      fault("only " + right + " of " + asked + " answers were right");
    }
    long answers = outcomes.values().stream().mapToLong(LongAdder::sum).sum();
    told.put("verdict", Map.of("faults", faults.size(), "outcomes", answers, "right", right.get(), "asked", asked.get(), "residentGrowth", growth, "residentKiB", late, "restarts", restarts, "activeSeconds", active));
    told.put("command", command.subList(Math.max(0, command.size() - 24), command.size()));
    told.put("secondsAsked", seconds);
    told.put("secondsActive", active);
    told.put("secondsPaused", paused);
    Map<String, Long> counts = new LinkedHashMap<>();
    outcomes.forEach((k, v) -> counts.put(k, v.sum()));
    told.put("outcomes", counts);
    told.put("faults", List.copyOf(faults));
    told.put("samples", samples);
    return told;
  }

  private static double median(List<Map<String, Object>> some) {
    double[] values = some.stream().mapToDouble(s -> ((Number) s.getOrDefault("VmRSS", 0L)).doubleValue()).sorted().toArray();
    return values.length == 0 ? Double.NaN : values[values.length / 2];
  }
}
