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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/// Clients of all kinds against one server for a given time: what the soaks of both services share. The server is killed
/// and started again between; only time in which this process ran counts. Anything lost is a fault: an answer without
/// its end, an unexpected status, memory that grew.
abstract class SoakRun {
  static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  static final String KEY = "soak-key";

  /// How the server was ended last.
  private volatile String downBy = "nobody";
  private final List<String> command;
  private final Map<String, LongAdder> outcomes = new ConcurrentSkipListMap<>();
  private final List<String> faults = new ArrayList<>();
  private final List<Map<String, Object>> samples = new ArrayList<>();
  final AtomicInteger right = new AtomicInteger();
  final AtomicInteger asked = new AtomicInteger();
  final AtomicBoolean over = new AtomicBoolean();
  final AtomicBoolean down = new AtomicBoolean();
  private volatile Process server;
  volatile int port;

  SoakRun(List<String> command) {
    this.command = command;
  }

  /// Runs for the seconds, writes the file and ends the process: 1 if anything was lost.
  final void main(int seconds, Path out) throws Exception {
    Map<String, Object> told = run(seconds);
    AtomicFiles.writeString(out, Json.write(told) + "\n");
    System.out.println(Json.line(told.get("verdict")));
    System.exit(((List<?>) told.get("faults")).isEmpty() ? 0 : 1);
  }

  // What a service adds

  /// Does one thing that a client does, drawn at random; counts it.
  abstract void act(Random random, Kind kind) throws Exception;

  /// What every client of this service does beside, on threads of its own.
  List<Act> others() {
    return List.of();
  }

  /// After a start of the server, the first included.
  void started(String when) throws Exception {}

  /// At the end, while the server still runs.
  void ended() throws Exception {}

  /// More about a moment.
  void sample(Map<String, Object> one) throws Exception {}

  /// Names of metrics that are kept with each sample.
  abstract List<String> metrics();

  /// What a client is at, for messages.
  static final class Kind {
    String name = "?";
  }

  interface Act {
    void run() throws Exception;
  }

  private Map<String, Object> run(int seconds) throws Exception {
    start();
    started("first");
    ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    for (int i = 0; i < 5; i++) {
      int number = i;
      clients.submit(() -> client(new Random(100 + number)));
    }
    for (Act other : others()) {
      clients.submit(() -> quietly(other));
    }
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
    ended();
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
    started("after a restart");
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
      sample(one);
      String metrics = get("/metrics");
      for (String name : metrics()) {
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
      Kind kind = new Kind();
      try {
        act(random, kind);
        Thread.sleep(random.nextInt(60));
      } catch (Exception e) {
        if (begunDown || down.get()) {
          count(kind.name + ": cut by " + downBy);
          quietly(() -> Thread.sleep(300));
        } else {
          Throwable cause = e.getCause() == null ? e : e.getCause();
          quietly(() -> Thread.sleep(300));
          if (down.get()) { // the kill came first, its note after
            count(kind.name + ": cut by " + downBy);
          } else {
            count(kind.name + ": failed");
            fault(kind.name + ": " + cause);
          }
        }
      }
    }
  }

  private static void quietly(Act act) {
    try {
      act.run();
    } catch (Exception e) {
      Thread.currentThread().interrupt();
    }
  }

  static String end(String body) {
    return body.substring(Math.max(0, body.length() - 200));
  }

  final boolean refused(String kind, HttpResponse<String> response) throws IOException {
    if (response.statusCode() != 429) {
      return false;
    }
    if (response.headers().firstValue("Retry-After").isEmpty()) {
      throw new IOException("429 without Retry-After");
    }
    count(kind + ": 429");
    return true;
  }

  /// Reads a stream sip by sip.
  final void slow(String kind, String path, String body, String ending) throws Exception {
    HttpResponse<InputStream> response = HTTP.send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      StringBuilder all = new StringBuilder();
      byte[] some = new byte[64];
      for (int n = in.read(some); n >= 0; n = in.read(some)) {
        all.append(new String(some, 0, n, StandardCharsets.UTF_8));
        Thread.sleep(20);
      }
      if (response.statusCode() == 429) {
        count(kind + ": 429");
      } else if (response.statusCode() != 200 || !all.toString().matches(ending)) {
        throw new IOException(response.statusCode() + " " + end(all.toString()));
      } else {
        count(kind);
      }
    }
  }

  /// Leaves with a reset: before the answer, after its first byte, or in the middle of its own request.
  final void killed(String kind, String path, String body, Random random) throws Exception {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      socket.setSoTimeout(600_000);
      String head = "POST " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY + "\r\nContent-Length: " + body.length() + "\r\n\r\n";
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

  final void expect(String kind, String path, String body, int status) throws Exception {
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

  /// Many requests at once: each is answered or told when to come back.
  final void burst(String kind, String path, List<String> bodies, String ending) throws Exception {
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (String body : bodies) {
      all.add(HTTP.sendAsync(request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString()));
    }
    for (var one : all) {
      HttpResponse<String> response = one.get();
      if (!refused(kind, response)) {
        if (response.statusCode() != 200 || !response.body().matches(ending)) {
          throw new IOException(response.statusCode() + " " + end(response.body()));
        }
        count(kind);
      }
    }
  }

  // Helpers

  final HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).header("Authorization", "Bearer " + KEY).timeout(Duration.ofMinutes(20));
  }

  final HttpResponse<String> post(String path, String body) throws Exception {
    return HTTP.send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
  }

  final String get(String path) throws Exception {
    return HTTP.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString()).body();
  }

  final void count(String outcome) {
    outcomes.computeIfAbsent(outcome, o -> new LongAdder()).increment();
  }

  final synchronized void fault(String what) {
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
