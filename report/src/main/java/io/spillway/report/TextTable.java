package io.spillway.report;

import java.util.ArrayList;
import java.util.List;

/// A table for a terminal: columns aligned (numbers to the right), cut to the width of the terminal
/// with an ellipsis in the widest text column; complete and plain when the output is piped.
public final class TextTable {
  /// With its interval and unit; what is longer is a sentence that begins with a number.
  private static final int LONGEST_NUMBER = 56;

  private static final String GAP = "  ";
  private static final int NARROWEST = 8;

  private final List<String> header;
  private final List<List<String>> rows = new ArrayList<>();

  public TextTable(String... header) {
    this.header = List.of(header);
  }

  /// Adds a row; each cell is shown with `toString`.
  public TextTable row(Object... cells) {
    if (cells.length != header.size()) {
      throw new IllegalArgumentException(
          cells.length + " cells in a table of " + header.size() + " columns");
    }
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(String.valueOf(cell));
    }
    rows.add(row);
    return this;
  }

  public List<String> header() {
    return header;
  }

  public List<List<String>> rows() {
    return List.copyOf(rows);
  }

  /// The table at full width.
  public String render() {
    return render(Integer.MAX_VALUE);
  }

  /// The table in at most `width` columns of text, as far as the ellipsis allows.
  public String render(int width) {
    int columns = header.size();
    int[] widths = new int[columns];
    boolean[] numeric = numericColumns();
    for (int c = 0; c < columns; c++) {
      widths[c] = length(header.get(c));
      for (List<String> row : rows) {
        widths[c] = Math.max(widths[c], length(row.get(c)));
      }
    }
    shrink(widths, numeric, width);
    StringBuilder out = new StringBuilder();
    line(out, header, widths, numeric);
    for (int c = 0; c < columns; c++) {
      out.append(c == 0 ? "" : GAP).append("-".repeat(widths[c]));
    }
    out.append('\n');
    for (List<String> row : rows) {
      line(out, row, widths, numeric);
    }
    return out.toString();
  }

  /// Which columns hold numbers alone; they are aligned to the right.
  boolean[] numericColumns() {
    boolean[] numeric = new boolean[header.size()];
    for (int c = 0; c < numeric.length; c++) {
      numeric[c] = !rows.isEmpty();
      for (List<String> row : rows) {
        numeric[c] &= isNumeric(row.get(c));
      }
    }
    return numeric;
  }

  private static void shrink(int[] widths, boolean[] numeric, int width) {
    long total = (long) GAP.length() * (widths.length - 1);
    for (int w : widths) {
      total += w;
    }
    while (total > width) {
      int widest = -1;
      for (int c = 0; c < widths.length; c++) {
        if (!numeric[c] && widths[c] > NARROWEST && (widest < 0 || widths[c] > widths[widest])) {
          widest = c;
        }
      }
      if (widest < 0) {
        return;
      }
      widths[widest]--;
      total--;
    }
  }

  private static void line(StringBuilder out, List<String> cells, int[] widths, boolean[] numeric) {
    StringBuilder line = new StringBuilder();
    for (int c = 0; c < widths.length; c++) {
      String cell = cut(cells.get(c), widths[c]);
      String pad = " ".repeat(widths[c] - length(cell));
      line.append(c == 0 ? "" : GAP).append(numeric[c] ? pad + cell : cell + pad);
    }
    out.append(line.toString().stripTrailing()).append('\n');
  }

  private static String cut(String cell, int width) {
    return length(cell) <= width
        ? cell
        : cell.substring(0, cell.offsetByCodePoints(0, width - 1)) + "…";
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /// A cell that starts like a number counts as one: `12`, `-3.1 %`, `4.2 GB/s`, or a dash for
  /// none.
  private static boolean isNumeric(String cell) {
    return cell.isEmpty()
        || cell.equals("-")
        || cell.length() <= LONGEST_NUMBER && cell.matches("[-+±<>≤≥]?\\s?[0-9.,]+.*");
  }
}
