package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/// A measured array, read from CSV: one row of cells a line, in microsiemens.
public final class ConductanceMap {
  private static final int LARGEST = 1 << 24;

  private final int rows;
  private final int columns;
  private final float[] cells;

  private ConductanceMap(int rows, int columns, float[] cells) {
    this.rows = rows;
    this.columns = columns;
    this.cells = cells;
  }

  /// Reads a CSV file.
  ///
  /// **Errors:** text that is no number, negative conductances, rows of unequal length, each with
  /// the line.
  public static ConductanceMap read(Path file) {
    float[] cells = new float[1024];
    int size = 0;
    int rows = 0;
    int columns = -1;
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      String line;
      while ((line = in.readLine()) != null) {
        if (line.isBlank() || line.startsWith("#")) {
          continue;
        }
        String[] fields = line.split(",", -1);
        if (columns >= 0 && fields.length != columns) {
          throw SpillwayException.badFile(
              file, ":row " + (rows + 1), "%d cells, the first row has %d", fields.length, columns);
        }
        columns = fields.length;
        if ((long) size + columns > LARGEST) {
          throw SpillwayException.doesNotFit("%s has more than %d cells", file, LARGEST);
        }
        if (size + columns > cells.length) {
          cells = Arrays.copyOf(cells, Math.max(2 * cells.length, size + columns));
        }
        for (String field : fields) {
          cells[size++] = conductance(file, rows + 1, field.strip());
        }
        rows++;
      }
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (MalformedInputException e) {
      throw SpillwayException.badFile(file, "", "not UTF-8 text");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    if (rows == 0) {
      throw SpillwayException.badInput("%s: the map has no cells", file);
    }
    ConductanceMap map = new ConductanceMap(rows, columns, Arrays.copyOf(cells, size));
    if (map.sigma() == 0) {
      throw SpillwayException.badInput(
          "%s: all %d cells conduct the same, an array of pairs would have no weights", file, size);
    }
    return map;
  }

  private static float conductance(Path file, int row, String text) {
    try {
      float g = Float.parseFloat(text);
      if (g >= 0 && g < 1e6f) {
        return g;
      }
    } catch (NumberFormatException e) {
      // told below, with the range
    }
    throw SpillwayException.badFile(
        file, ":row " + row, "'%s' is no conductance, 0 to 1e6 uS was expected", text);
  }

  /// Reads the CSV file that a configuration names.
  public static ConductanceMap parse(String file) {
    try {
      return read(Path.of(file));
    } catch (InvalidPathException e) {
      throw SpillwayException.badInput("'%s' is no name of a file", file);
    }
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  public int size() {
    return cells.length;
  }

  public float cell(int i) {
    return cells[i];
  }

  /// The largest conductance of a cell, in µS.
  public double largest() {
    double most = 0;
    for (float g : cells) {
      most = Math.max(most, g);
    }
    return most;
  }

  public double mean() {
    double sum = 0;
    for (float g : cells) {
      sum += g;
    }
    return sum / cells.length;
  }

  public double sigma() {
    double mean = mean();
    double sum = 0;
    for (float g : cells) {
      sum += (g - mean) * (g - mean);
    }
    return Math.sqrt(sum / cells.length);
  }
}
