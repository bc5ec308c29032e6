package io.spillway.longcontext.eval;

import io.spillway.longcontext.eval.Evaluation.Cell;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Measured cells as JSON lines: a later run with the same file measures only what is missing. A
/// line that an interruption cut short is measured again.
public final class JournalFile implements Evaluation.Journal {
  private final Path file;
  private final long endNanos;
  private final Map<String, Cell> cells = new LinkedHashMap<>();

  /// @param seconds no cell begins later than this after now; infinity for no limit
  public JournalFile(Path file, double seconds) {
    this.file = file;
    this.endNanos = System.nanoTime() + (long) Math.min(seconds * 1e9, Long.MAX_VALUE / 4.0);
    List<String> lines = lines(file);
    List<String> whole = lines.stream().filter(line -> line.endsWith("}")).toList();
    for (String line : whole) {
      Cell cell = Json.parse(line, Cell.class, file.toString());
      cells.put(key(cell), cell);
    }
    if (whole.size() < lines.size()) {
      AtomicFiles.writeString(
          file, whole.stream().map(line -> line + "\n").collect(Collectors.joining()));
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isRegularFile(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw SpillwayException.badFile(file, "", "cannot be read: %s", String.valueOf(e));
    }
  }

  private static String key(Cell cell) {
    return String.join(
        "|",
        cell.task(),
        String.valueOf(cell.length()),
        cell.policy(),
        String.valueOf(cell.budget()),
        String.valueOf(cell.samples()),
        cell.settings());
  }

  @Override
  public @Nullable Cell known(Cell like) {
    return cells.get(key(like));
  }

  @Override
  public void add(Cell cell) {
    cells.put(key(cell), cell);
    try {
      Files.writeString(
          file, Json.line(cell) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw SpillwayException.badFile(file, "", "cannot be written: %s", String.valueOf(e));
    }
  }

  @Override
  public boolean over() {
    return System.nanoTime() - endNanos > 0;
  }
}
