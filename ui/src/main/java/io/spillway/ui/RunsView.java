package io.spillway.ui;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.HttpService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// Run records: the folders of `runs/` with a `run.json`, and the files beside it.
final class RunsView implements View {
  private static final int MOST = 500;
  private static final Map<String, String> TYPES =
      Map.of(
          "png", "image/png",
          "gif", "image/gif",
          "svg", "image/svg+xml",
          "html", "text/html; charset=utf-8",
          "json", "application/json",
          "csv", "text/plain; charset=utf-8",
          "txt", "text/plain; charset=utf-8");

  private final Path folder;

  RunsView(Path folder) {
    this.folder = folder.toAbsolutePath().normalize();
  }

  @Override
  public void route(Routes routes) {
    routes.get("runs", (request, response) -> HttpService.json(response, all()));
    routes.get("runs/{run}", (request, response) -> HttpService.json(response, one(run(request))));
    routes.get("runs/{run}/{file}", this::file);
  }

  private List<Map<String, Object>> all() throws IOException {
    List<Map<String, Object>> runs = new ArrayList<>();
    if (!Files.isDirectory(folder)) {
      return runs;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).limit(MOST).toList()) {
        Path record = entry.resolve("run.json");
        if (Files.isRegularFile(record)) {
          runs.add(row(String.valueOf(entry.getFileName()), record));
        }
      }
    }
    return runs;
  }

  /// A line of the list; a record that cannot be read says so there and hides no other.
  private static Map<String, Object> row(String name, Path record) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("name", name);
    try {
      JsonNode run = Json.readTree(record);
      row.put("command", run.path("command").asString(name));
      row.put("startedAt", run.path("startedAt").asString(""));
      row.put("seconds", run.path("seconds").asDouble(0));
    } catch (SpillwayException | UncheckedIOException e) {
      row.put("command", name + " (its record cannot be read)");
      row.put("startedAt", "");
      row.put("seconds", 0);
    }
    return row;
  }

  private static Map<String, Object> one(Path run) throws IOException {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("record", Json.read(run.resolve("run.json"), JsonNode.class));
    try (Stream<Path> files = Files.list(run)) {
      answer.put(
          "files",
          files
              .filter(Files::isRegularFile)
              .map(f -> String.valueOf(f.getFileName()))
              .filter(f -> !f.equals("run.json") && TYPES.containsKey(ending(f)))
              .sorted()
              .toList());
    }
    return answer;
  }

  private void file(ServerRequest request, ServerResponse response) throws IOException {
    Path file = inside(run(request), request.path().pathParameters().get("file"));
    String name = String.valueOf(file.getFileName());
    response.header(
        HeaderNames.CONTENT_TYPE, TYPES.getOrDefault(ending(name), "application/octet-stream"));
    // a page of a run is shown in a frame and runs no script
    response.header(
        HeaderNames.create("Content-Security-Policy"),
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    response.send(Files.readAllBytes(file));
  }

  private Path run(ServerRequest request) {
    return inside(folder, request.path().pathParameters().get("run"));
  }

  /// The entry of `parent` called `name`; nothing outside of it, no link.
  private static Path inside(Path parent, String name) {
    Path path = parent.resolve(name).normalize();
    if (!parent.equals(path.getParent()) || !Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      throw SpillwayException.notFound("there is no '%s'", name);
    }
    if (Files.isSymbolicLink(path)) {
      throw SpillwayException.notFound("'%s' is a link, which is not followed", name);
    }
    return path;
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
