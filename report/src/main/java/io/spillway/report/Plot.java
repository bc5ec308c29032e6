package io.spillway.report;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.internal.chartpart.Chart;

/// A plot as data, drawn as PNG or SVG in a light or dark theme. Lines and points over numbers,
/// bars over categories, and heat maps; titles and axis labels name quantity and unit.
public final class Plot {
  /// How the values are laid out.
  enum Kind {
    XY,
    BARS,
    STACKED_BARS,
    HEAT_MAP
  }

  /// One named series; `errors` are half-widths of intervals, empty when there are none.
  record Series(String name, double[] x, double[] y, double[] errors, boolean joined) {}

  final Kind kind;
  final String title;
  final String xLabel;
  final String yLabel;
  final List<String> columns;
  final List<String> rows;
  final double[][] cells;
  final List<Series> series = new ArrayList<>();
  boolean logX;
  boolean logY;
  @Nullable Double yMin;
  @Nullable Double yMax;
  int width = 900;
  int height = 520;

  private Plot(
      Kind kind,
      String title,
      String xLabel,
      String yLabel,
      List<String> columns,
      List<String> rows,
      double[][] cells) {
    this.kind = kind;
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.columns = List.copyOf(columns);
    this.rows = List.copyOf(rows);
    this.cells = cells;
  }

  /// Lines and points over a numeric axis.
  public static Plot xy(String title, String xLabel, String yLabel) {
    return new Plot(Kind.XY, title, xLabel, yLabel, List.of(), List.of(), new double[0][]);
  }

  /// Bars side by side over categories.
  public static Plot bars(String title, String xLabel, String yLabel, List<String> categories) {
    return new Plot(Kind.BARS, title, xLabel, yLabel, categories, List.of(), new double[0][]);
  }

  /// Bars stacked on each other over categories.
  public static Plot stackedBars(
      String title, String xLabel, String yLabel, List<String> categories) {
    return new Plot(
        Kind.STACKED_BARS, title, xLabel, yLabel, categories, List.of(), new double[0][]);
  }

  /// A matrix as colours.
  ///
  /// **Shapes:** `cells` is [rows, columns]; NaN cells stay empty.
  public static Plot heatMap(
      String title, List<String> columns, List<String> rows, double[][] cells) {
    double[][] copy = new double[cells.length][];
    for (int r = 0; r < cells.length; r++) {
      copy[r] = cells[r].clone();
      if (copy[r].length != columns.size()) {
        throw new IllegalArgumentException("row " + r + " has " + copy[r].length + " cells");
      }
    }
    if (copy.length != rows.size()) {
      throw new IllegalArgumentException(copy.length + " rows for " + rows.size() + " names");
    }
    return new Plot(Kind.HEAT_MAP, title, "", "", columns, rows, copy);
  }

  /// Adds a line through points.
  public Plot line(String name, double[] x, double[] y) {
    return add(new Series(name, x.clone(), y.clone(), new double[0], true));
  }

  /// Adds a line with an interval of plus and minus `errors` at each point.
  public Plot line(String name, double[] x, double[] y, double[] errors) {
    return add(new Series(name, x.clone(), y.clone(), errors.clone(), true));
  }

  /// Adds points that are not joined.
  public Plot points(String name, double[] x, double[] y) {
    return add(new Series(name, x.clone(), y.clone(), new double[0], false));
  }

  /// Adds one bar for each category.
  public Plot bar(String name, double[] values) {
    return add(new Series(name, new double[0], values.clone(), new double[0], false));
  }

  /// Adds bars with an interval of plus and minus `errors`.
  public Plot bar(String name, double[] values, double[] errors) {
    return add(new Series(name, new double[0], values.clone(), errors.clone(), false));
  }

  private Plot add(Series s) {
    int expected = kind == Kind.XY ? s.x().length : columns.size();
    if (kind == Kind.HEAT_MAP || s.y().length != expected || expected == 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "series '%s' has %d values, %d are needed in a plot of kind %s",
              s.name(),
              s.y().length,
              expected,
              kind));
    }
    series.add(s);
    return this;
  }

  public Plot logX() {
    logX = true;
    return this;
  }

  public Plot logY() {
    logY = true;
    return this;
  }

  /// Fixes the range of the vertical axis.
  public Plot yRange(double min, double max) {
    yMin = min;
    yMax = max;
    return this;
  }

  /// Size in pixels.
  public Plot size(int widthPx, int heightPx) {
    width = widthPx;
    height = heightPx;
    return this;
  }

  public String title() {
    return title;
  }

  /// The drawing as SVG text; without fonts on this machine, one that says so.
  public String svg(Theme theme) {
    if (!Fonts.usable()) {
      return withoutFonts();
    }
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      VectorGraphicsEncoder.saveVectorGraphic(
          chart(theme), out, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
      return out.toString(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String withoutFonts() {
    return """
    <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d">
    <text x="12" y="24" font-family="sans-serif" font-size="13">%s: not drawn, %s</text>
    </svg>
    """
        .formatted(width, height, HtmlPage.escape(title), Fonts.ADVICE);
  }

  /// Writes PNG or SVG by the ending of the file's name, in the light theme.
  ///
  /// **Errors:** no fonts on this machine (PNG only).
  public void write(Path file) {
    String name = String.valueOf(file.getFileName());
    if (name.endsWith(".svg")) {
      AtomicFiles.writeString(file, svg(Theme.LIGHT));
    } else if (name.endsWith(".png")) {
      if (!Fonts.usable()) {
        throw SpillwayException.notAvailable("%s is not drawn: %s; take .svg", file, Fonts.ADVICE);
      }
      AtomicFiles.writeStream(
          file,
          out -> BitmapEncoder.saveBitmap(chart(Theme.LIGHT), out, BitmapEncoder.BitmapFormat.PNG));
    } else {
      throw new IllegalArgumentException(file + ": a plot is written as .png or .svg");
    }
  }

  private Chart<?, ?> chart(Theme theme) {
    if (kind != Kind.HEAT_MAP && series.isEmpty()) {
      throw new IllegalStateException("plot '" + title + "' has no series");
    }
    return PlotCharts.chart(this, theme);
  }
}
