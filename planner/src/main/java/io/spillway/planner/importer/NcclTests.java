package io.spillway.planner.importer;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// The tables of nccl-tests, found by their header line, and the JSON of its option -J. The link's
/// time for a message is its size over the bus bandwidth, which holds for every collective.
final class NcclTests {
  private NcclTests() {}

  static Imported.Curve text(String text, String source) {
    List<Link.Point> points = new ArrayList<>();
    int size = -1;
    int bus = -1;
    int ranks = 0;
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.startsWith("#")) {
        List<String> words = Arrays.asList(line.substring(1).strip().split("\\s+"));
        if (words.getFirst().equals("Rank")) {
          ranks++;
        }
        if (words.contains("size") && words.contains("busbw")) {
          size = words.indexOf("size");
          // the first of the two is the out-of-place one
          bus = words.indexOf("busbw");
        }
        continue;
      }
      if (line.isEmpty() || !Character.isDigit(line.charAt(0)) || size < 0) {
        continue;
      }
      String[] cells = line.split("\\s+");
      if (cells.length <= Math.max(size, bus)) {
        throw SpillwayException.badInput(
            "%s:%d: %d columns, the header names %d", source, i + 1, cells.length, bus + 1);
      }
      add(
          points,
          Importers.number(cells[size], source, i + 1, "size"),
          Importers.number(cells[bus], source, i + 1, "busbw"));
    }
    if (size < 0) {
      throw SpillwayException.badInput(
          "%s: no header line with size and busbw; is this the output of nccl-tests?", source);
    }
    return curve(points, ranks, source);
  }

  static Imported.Curve json(JsonNode root, String source) {
    JsonNode results = root.get("results");
    if (results == null || !results.isArray()) {
      throw SpillwayException.badInput("%s: no list 'results' as nccl-tests -J writes it", source);
    }
    List<Link.Point> points = new ArrayList<>();
    for (JsonNode row : results) {
      JsonNode size = row.get("size");
      JsonNode part = row.has("out_of_place") ? row.get("out_of_place") : row;
      JsonNode bus = part == null ? null : part.get("bus_bw");
      if (size == null || bus == null || !size.isNumber() || !bus.isNumber()) {
        throw SpillwayException.badInput("%s: a result without size and bus_bw: %s", source, row);
      }
      add(points, size.asDouble(), bus.asDouble());
    }
    JsonNode ranks = root.path("config").path("ranks");
    return curve(points, ranks.isInt() ? ranks.intValue() : 0, source);
  }

  private static void add(List<Link.Point> points, double size, double gigabytes) {
    // the smallest messages show a rate of 0.00
    if (size >= 1 && gigabytes > 0 && size < 1e15 && gigabytes < 1e6) {
      points.add(
          new Link.Point(new Bytes(Math.round(size)), new Seconds(size / (gigabytes * 1e9))));
    }
  }

  private static Imported.Curve curve(List<Link.Point> points, int ranks, String source) {
    if (points.isEmpty()) {
      throw SpillwayException.badInput("%s: no row with a bus bandwidth above 0", source);
    }
    points.sort(Comparator.comparingLong(p -> p.size().bytes()));
    List<Link.Point> rising = new ArrayList<>();
    for (Link.Point p : points) {
      Link.Point last = rising.isEmpty() ? null : rising.getLast();
      if (last == null) {
        rising.add(p);
      } else if (p.size().bytes() > last.size().bytes()) {
        double time = Math.max(p.time().seconds(), last.time().seconds());
        rising.add(new Link.Point(p.size(), new Seconds(time)));
      }
    }
    return new Imported.Curve(Link.fitted(rising), ranks);
  }
}
