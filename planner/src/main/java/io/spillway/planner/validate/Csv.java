package io.spillway.planner.validate;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// A table of plain comma-separated values with a header; cells hold no quotes.
final class Csv {
  /// One row with its line for error messages.
  record Row(Path file, int line, Map<String, String> cells) {
    String text(String column) {
      String value = cells.get(column);
      if (value == null) {
        throw SpillwayException.badFile(file, ":" + line, "column '%s' is missing", column);
      }
      return value;
    }

    boolean has(String column) {
      return cells.containsKey(column);
    }

    double number(String column) {
      String value = text(column);
      if (value.equals("inf")) {
        return Double.POSITIVE_INFINITY;
      }
      try {
        double number = Double.parseDouble(value);
        if (!Double.isNaN(number)) {
          return number;
        }
      } catch (NumberFormatException e) {
        // falls through to the one message
      }
      throw SpillwayException.badFile(
          file, ":" + line, "%s is '%s', a number was expected", column, value);
    }

    int integer(String column) {
      double value = number(column);
      if (value != Math.rint(value) || value < 1 || value > Integer.MAX_VALUE) {
        throw SpillwayException.badFile(
            file, ":" + line, "%s is %s, a whole number above 0 was expected", column, value);
      }
      return (int) value;
    }

    /// A measured amount.
    double measured(String column) {
      double value = number(column);
      if (!(value > 0 && Double.isFinite(value))) {
        throw SpillwayException.badFile(
            file, ":" + line, "%s is %s, a finite number above 0 was expected", column, value);
      }
      return value;
    }

    /// A measured amount; empty where the run failed, which a list of trials writes as `inf`.
    Optional<Double> measuredUnlessFailed(String column) {
      return number(column) == Double.POSITIVE_INFINITY
          ? Optional.empty()
          : Optional.of(measured(column));
    }

    /// What `read` makes of the row; its errors name file and line.
    <T> T at(Supplier<T> read) {
      try {
        return read.get();
      } catch (SpillwayException e) {
        if (e.getMessage().startsWith(file.toString())) {
          throw e;
        }
        throw SpillwayException.badFile(file, ":" + line, "%s", e.getMessage());
      }
    }
  }

  private Csv() {}

  /// Every row as `make` reads it; errors name file and line.
  static <T> List<T> read(Path file, Function<Row, T> make) {
    return read(file).stream().map(row -> row.at(() -> make.apply(row))).toList();
  }

  /// **Errors:** missing file, no header, rows of another length.
  static List<Row> read(Path file) {
    List<String> lines;
    try {
      if (!Files.isRegularFile(file)) {
        throw SpillwayException.notFound("%s: no such file", file);
      }
      lines = Files.readAllLines(file);
    } catch (java.nio.charset.MalformedInputException e) {
      throw SpillwayException.badFile(file, "", "not UTF-8 text");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    if (lines.isEmpty()) {
      throw SpillwayException.badFile(file, "", "the file is empty, a header line was expected");
    }
    String[] header = lines.getFirst().split(",", -1);
    List<Row> rows = new ArrayList<>();
    for (int i = 1; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      String[] cells = lines.get(i).split(",", -1);
      if (cells.length != header.length) {
        throw SpillwayException.badFile(
            file, ":" + (i + 1), "%d cells, the header has %d", cells.length, header.length);
      }
      Map<String, String> row = new LinkedHashMap<>();
      for (int c = 0; c < cells.length; c++) {
        row.put(header[c].strip(), cells[c].strip());
      }
      rows.add(new Row(file, i + 1, row));
    }
    if (rows.isEmpty()) {
      throw SpillwayException.badFile(file, "", "no rows after the header");
    }
    return rows;
  }
}
