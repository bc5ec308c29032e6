import io.spillway.platform.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// Clients of the service for images (soak.sh --images starts it): `SoakImages SECONDS OUT.json - -- COMMAND...`.
/// One class and seed give the same file, byte for byte, whatever happened between: that is an answer's being right.
public final class SoakImages extends SoakRun {
  private static final String PATH = "/generate";
  private static final String DONE = "(?s).*event: done\ndata: .*\n\n";
  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G'};

  private final Map<String, String> known = new ConcurrentHashMap<>(); // request -> image

  private SoakImages(List<String> command) {
    super(command);
  }

  public static void main(String[] args) throws Exception {
    new SoakImages(List.of(args).subList(4, args.length)).main(Integer.parseInt(args[0]), Path.of(args[1]));
  }

  @Override
  List<String> metrics() {
    return List.of("spillway_active", "spillway_waiting", "spillway_cancelled_total", "spillway_images_total", "spillway_failed_total", "spillway_refused_total");
  }

  @Override
  void act(Random random, Kind kind) throws Exception {
    switch (random.nextInt(15)) {
      case 0, 1, 2 -> ask(kind.name = "image, streamed", random, true);
      case 3, 4 -> ask(kind.name = "image, whole", random, false);
      case 5 -> slow(kind.name = "slow reader", PATH, wish(random, 8, 1, true), DONE);
      case 6, 7 -> killed(kind.name = "killed client", PATH, wish(random, 60, 1, random.nextBoolean()), random);
      case 8 -> expect(kind.name = "malformed JSON", PATH, "{\"class\": [", 400);
      case 9 -> expect(kind.name = "wrong types", PATH, "{\"class\": 3, \"steps\": \"many\"}", 400);
      case 10 -> expect(kind.name = "huge body", PATH, "{\"prompt\": \"" + "x".repeat(3_000_000) + "\"}", 413);
      case 11 -> expect(kind.name = "more than is allowed", PATH, OVER.get(random.nextInt(OVER.size())), 400);
      case 12 -> {
        List<String> bodies = IntStream.range(0, 40).mapToObj(i -> wish(random, 2, 1, true)).toList();
        burst(kind.name = "burst of 40", PATH, bodies, DONE);
      }
      case 13 -> cancelled(kind.name = "cancelled", random);
      default -> large(kind.name = "sixteen images", random);
    }
  }

  private static final List<String> OVER =
      List.of(
          "{\"class\": 3, \"count\": 1000000}",
          "{\"class\": 3, \"size\": 1000000000}",
          "{\"class\": 3, \"steps\": 2000000000}",
          "{\"class\": 99}",
          "{\"class\": 3, \"guidance\": 1e999}",
          "{\"class\": 3, \"style\": \"x\"}",
          "{\"prompt\": \"a red square\"}");

  private static String wish(Random random, int steps, int count, boolean stream) {
    return Json.line(
        Map.of("class", random.nextInt(8), "seed", random.nextInt(4), "steps", steps, "count", count, "stream", stream));
  }

  private void ask(String kind, Random random, boolean stream) throws Exception {
    String body = wish(random, 4, 1, stream);
    HttpResponse<String> response = post(PATH, body);
    if (refused(kind, response)) {
      return;
    }
    if (response.statusCode() != 200 || stream && !response.body().matches(DONE)) {
      throw new IOException(response.statusCode() + " " + end(response.body()));
    }
    asked.incrementAndGet();
    right.addAndGet(isRight(body.replace("\"stream\":true", "\"stream\":false"), answer(response.body(), stream)) ? 1 : 0);
    count(kind);
  }

  private static JsonNode answer(String body, boolean stream) {
    String json = stream ? body.substring(body.lastIndexOf("data: ") + "data: ".length()) : body;
    return Json.parse(json, JsonNode.class, "answer");
  }

  private boolean isRight(String request, JsonNode answer) {
    String image = answer.path("images").path(0).asString("");
    byte[] bytes = Base64.getDecoder().decode(image);
    if (bytes.length < 100 || bytes[0] != PNG[0] || bytes[1] != PNG[1] || bytes[2] != PNG[2] || bytes[3] != PNG[3]) {
      return false;
    }
    // keys of a map come in any order
    String key = Json.parse(request, JsonNode.class, "request").properties().stream().map(Object::toString).sorted().toList().toString();
    String before = known.putIfAbsent(key, image);
    return before == null || before.equals(image);
  }

  /// Begins a long request and takes it back by its id.
  private void cancelled(String kind, Random random) throws Exception {
    HttpResponse<InputStream> response =
        HTTP.send(
            request(PATH).POST(HttpRequest.BodyPublishers.ofString(wish(random, 60, 1, true))).build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      if (response.statusCode() == 429) {
        count(kind + ": 429");
        return;
      }
      StringBuilder all = new StringBuilder();
      byte[] some = new byte[256];
      boolean asked = false;
      for (int n = in.read(some); n >= 0; n = in.read(some)) {
        all.append(new String(some, 0, n, StandardCharsets.UTF_8));
        if (!asked && all.indexOf("\n\n") > 0) {
          String id = all.toString().replaceAll("(?s).*\"id\" ?: ?\"([^\"]+)\".*", "$1");
          int status = HTTP.send(request(PATH + "/" + id).DELETE().build(), HttpResponse.BodyHandlers.ofString()).statusCode();
          if (status != 200) {
            throw new IOException("DELETE " + id + ": " + status);
          }
          asked = true;
        }
      }
      if (!all.toString().contains("event: cancelled")) {
        throw new IOException("no event 'cancelled': " + end(all.toString()));
      }
      count(kind);
    }
  }

  private void large(String kind, Random random) throws Exception {
    HttpResponse<String> response = post(PATH, wish(random, 4, 16, false));
    if (refused(kind, response)) {
      return;
    }
    if (response.statusCode() != 200 || answer(response.body(), false).path("images").size() != 16) {
      throw new IOException(response.statusCode() + " " + end(response.body()));
    }
    count(kind);
  }
}
