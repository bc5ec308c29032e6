package io.spillway.sweep;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A sweep whose finished points are kept in a file, one line each, so that the same call after a
/// stop runs only what is left. Failed points are named and tried again by the next call.
public final class Sweep {
  private static final String SEPARATOR = "\t";

  private Sweep() {}

  /// What is known after a sweep.
  ///
  /// @param results JSON by point, in the order of the points
  /// @param failures message by point
  /// @param kept points that an earlier call had finished
  public record Outcome(Map<String, String> results, Map<String, String> failures, int kept) {}

  /// Runs the points that `store` does not hold yet.
  ///
  /// **Errors:** two points of one name; a store that is not of this form.
  public static Outcome run(
      List<SweepPoint> points,
      SweepTask task,
      SweepExecutor executor,
      Path store,
      Progress progress) {
    Map<String, String> results = new LinkedHashMap<>();
    Map<String, String> known = read(store);
    List<SweepPoint> open = new ArrayList<>();
    for (SweepPoint point : points) {
      if (results.putIfAbsent(point.id(), "") != null) {
        throw SpillwayException.badInput("two points of the sweep are called '%s'", point.id());
      }
      String done = known.get(point.id());
      if (done == null) {
        open.add(point);
      } else {
        results.put(point.id(), done);
      }
    }
    Map<String, String> failures = new LinkedHashMap<>();
    try (Progress.Task bar = progress.start("sweep", open.size())) {
      executor.run(
          open,
          task,
          new SweepExecutor.Listener() {
            @Override
            public void finished(SweepPoint point, String json) {
              append(store, point.id() + SEPARATOR + json.replace("\n", " "));
              results.put(point.id(), json);
              bar.note(point.id());
              bar.advance(1);
            }

            @Override
            public void failed(SweepPoint point, String message) {
              failures.put(point.id(), message);
              bar.note(point.id() + " failed");
              bar.advance(1);
            }
          });
    }
    results.values().removeIf(String::isEmpty);
    return new Outcome(results, failures, points.size() - open.size());
  }

  private static Map<String, String> read(Path store) {
    Map<String, String> known = new LinkedHashMap<>();
    if (!Files.exists(store)) {
      return known;
    }
    try {
      int number = 0;
      List<String> lines = Files.readAllLines(store);
      for (String line : lines) {
        number++;
        int tab = line.indexOf(SEPARATOR);
        if (tab > 0 && line.endsWith("}")) {
          known.put(line.substring(0, tab), line.substring(tab + 1));
        } else if (number < lines.size()) {
          throw SpillwayException.badFile(
              store, ":" + number, "not a line of a sweep; name another file or remove this one");
        }
      }
      return known;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + store, e);
    }
  }

  private static void append(Path store, String line) {
    try {
      Path parent = store.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      boolean broken = Files.exists(store) && !endsWithNewline(store);
      Files.writeString(
          store,
          (broken ? "\n" : "") + line + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + store, e);
    }
  }

  private static boolean endsWithNewline(Path store) throws IOException {
    try (java.io.RandomAccessFile file = new java.io.RandomAccessFile(store.toFile(), "r")) {
      if (file.length() == 0) {
        return true;
      }
      file.seek(file.length() - 1);
      return file.read() == '\n';
    }
  }
}
