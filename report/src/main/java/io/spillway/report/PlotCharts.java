package io.spillway.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// Turns a [Plot] into XChart's charts with our colours and fonts.
final class PlotCharts {
  /// Above this many points a line is drawn without markers.
  private static final int MARKED_POINTS = 60;

  /// More series than this are listed below the plot instead of beside it.
  private static final int MOST_SIDE_LEGENDS = 12;

  private PlotCharts() {}

  static Chart<?, ?> chart(Plot plot, Theme theme) {
    return switch (plot.kind) {
      case XY -> xy(plot, theme);
      case BARS -> bars(plot, theme, false);
      case STACKED_BARS -> bars(plot, theme, true);
      case HEAT_MAP -> heatMap(plot, theme);
    };
  }

  private static XYChart xy(Plot plot, Theme theme) {
    XYChart chart =
        new XYChartBuilder()
            .width(plot.width)
            .height(plot.height)
            .title(plot.title)
            .xAxisTitle(plot.xLabel)
            .yAxisTitle(plot.yLabel)
            .build();
    style(chart.getStyler(), plot, theme);
    chart.getStyler().setXAxisLogarithmic(plot.logX);
    Color[] colors = theme.series();
    for (int i = 0; i < plot.series.size(); i++) {
      Plot.Series s = plot.series.get(i);
      XYSeries drawn =
          s.errors().length > 0
              ? chart.addSeries(s.name(), s.x(), s.y(), s.errors())
              : chart.addSeries(s.name(), s.x(), s.y());
      drawn.setXYSeriesRenderStyle(
          s.joined() ? XYSeries.XYSeriesRenderStyle.Line : XYSeries.XYSeriesRenderStyle.Scatter);
      drawn.setMarker(
          s.joined() && s.x().length > MARKED_POINTS ? SeriesMarkers.NONE : SeriesMarkers.CIRCLE);
      drawn.setLineWidth(2f);
      drawn.setLineColor(colors[i % colors.length]);
      drawn.setMarkerColor(colors[i % colors.length]);
    }
    return chart;
  }

  private static CategoryChart bars(Plot plot, Theme theme, boolean stacked) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(plot.width)
            .height(plot.height)
            .title(plot.title)
            .xAxisTitle(plot.xLabel)
            .yAxisTitle(plot.yLabel)
            .build();
    style(chart.getStyler(), plot, theme);
    chart.getStyler().setStacked(stacked);
    chart.getStyler().setAvailableSpaceFill(0.8);
    int longest = plot.columns.stream().mapToInt(String::length).max().orElse(0);
    if ((long) longest * plot.columns.size() > 90) {
      chart.getStyler().setXAxisLabelRotation(45);
    }
    Color[] colors = theme.series();
    for (int i = 0; i < plot.series.size(); i++) {
      Plot.Series s = plot.series.get(i);
      var drawn =
          s.errors().length > 0
              ? chart.addSeries(s.name(), plot.columns, boxed(s.y()), boxed(s.errors()))
              : chart.addSeries(s.name(), plot.columns, boxed(s.y()));
      drawn.setFillColor(colors[i % colors.length]);
      drawn.setLineColor(colors[i % colors.length]);
    }
    return chart;
  }

  private static double rounded(double value, int digits, RoundingMode mode) {
    return BigDecimal.valueOf(value).setScale(digits, mode).doubleValue();
  }

  private static HeatMapChart heatMap(Plot plot, Theme theme) {
    HeatMapChart chart =
        new HeatMapChartBuilder().width(plot.width).height(plot.height).title(plot.title).build();
    style(chart.getStyler(), plot, theme);
    chart.getStyler().setLegendVisible(true);
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setRangeColors(ramp(theme));
    chart.getStyler().setPlotContentSize(1);
    chart.getStyler().setShowValue(false);
    chart
        .getStyler()
        .setHeatMapDecimalValueFormatter(value -> String.format(Locale.ROOT, "%.3g", value));
    if (plot.columns.size() > 8) {
      chart.getStyler().setXAxisLabelRotation(90);
    }
    double[] finite =
        Arrays.stream(plot.cells)
            .flatMapToDouble(Arrays::stream)
            .filter(Double::isFinite)
            .toArray();
    double min = Arrays.stream(finite).min().orElse(0);
    double max = Arrays.stream(finite).max().orElse(1);
    // the legend shows both ends as they are
    int digits = max > min ? (int) (2 - Math.floor(Math.log10(max - min))) : 0;
    chart.getStyler().setMin(rounded(min, digits, RoundingMode.FLOOR));
    chart.getStyler().setMax(max > min ? rounded(max, digits, RoundingMode.CEILING) : min + 1);
    // XChart takes triples of column, row and value, with its first row at the bottom
    List<Number[]> data = new ArrayList<>();
    int rows = plot.rows.size();
    for (int c = 0; c < plot.columns.size(); c++) {
      for (int r = 0; r < rows; r++) {
        double value = plot.cells[rows - 1 - r][c];
        if (Double.isFinite(value)) {
          data.add(new Number[] {c, r, value});
        }
      }
    }
    chart.addSeries(plot.title, plot.columns, plot.rows.reversed(), data);
    return chart;
  }

  private static Color[] ramp(Theme theme) {
    return switch (theme) {
      case LIGHT -> colors(0xF3F6FA, 0x9CC3E4, 0x2F7FBF, 0x0B3C68);
      case DARK -> colors(0x1D252D, 0x1F5C8C, 0x56B4E9, 0xE3F4FF);
    };
  }

  private static Color[] colors(int... rgb) {
    return Arrays.stream(rgb).mapToObj(Color::new).toArray(Color[]::new);
  }

  private static void style(AxesChartStyler styler, Plot plot, Theme theme) {
    Font text = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    styler.setChartBackgroundColor(theme.background());
    styler.setPlotBackgroundColor(theme.background());
    styler.setPlotBorderVisible(false);
    styler.setChartFontColor(theme.text());
    styler.setChartTitleBoxVisible(false);
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
    styler.setAxisTitleFont(text);
    styler.setAxisTickLabelsFont(text);
    styler.setAxisTickLabelsColor(theme.text());
    styler.setAxisTickMarksColor(theme.grid());
    styler.setPlotGridLinesColor(theme.grid());
    styler.setPlotGridLinesStroke(new BasicStroke(0.6f));
    styler.setXAxisTitleColor(theme.text());
    styler.setYAxisTitleColor(theme.text());
    styler.setLegendBackgroundColor(theme.background());
    styler.setLegendBorderColor(theme.background());
    styler.setLegendFont(text);
    styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    styler.setLegendVisible(plot.series.size() > 1);
    styler.setSeriesColors(theme.series());
    styler.setErrorBarsColorSeriesColor(true);
    styler.setYAxisLogarithmic(plot.logY);
    if (plot.yMin != null) {
      styler.setYAxisMin(plot.yMin);
    }
    if (plot.yMax != null) {
      styler.setYAxisMax(plot.yMax);
    }
    if (plot.series.size() > MOST_SIDE_LEGENDS) {
      styler.setLegendPosition(Styler.LegendPosition.OutsideS);
      styler.setLegendLayout(Styler.LegendLayout.Horizontal);
    }
  }

  private static List<Double> boxed(double[] values) {
    return Arrays.stream(values).boxed().toList();
  }
}
