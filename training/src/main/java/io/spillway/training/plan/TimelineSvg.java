package io.spillway.training.plan;

import io.spillway.platform.AtomicFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Draws a timeline: lanes as rows, tasks as bars, milliseconds to the right. Disk rows are drawn
/// if they are used.
public final class TimelineSvg {
  private static final int WIDTH = 1200;
  private static final int ROW = 34;
  private static final int LEFT = 150;
  private static final int TOP = 48;

  private TimelineSvg() {}

  /// Writes the last two steps of `timeline`.
  ///
  /// @param title `predicted` or `measured`, with what
  public static void write(Timeline timeline, String title, Path file) {
    AtomicFiles.writeString(file, svg(timeline, title));
  }

  /// The drawing as SVG text.
  public static String svg(Timeline timeline, String title) {
    int last = timeline.spans().stream().mapToInt(Timeline.Span::step).max().orElse(0);
    List<Timeline.Span> spans =
        timeline.spans().stream().filter(s -> s.step() >= last - 1).toList();
    double begin = spans.stream().mapToDouble(Timeline.Span::begin).min().orElse(0);
    double end = spans.stream().mapToDouble(Timeline.Span::end).max().orElse(1);
    double scale = (WIDTH - LEFT - 20) / Math.max(1e-9, end - begin);
    List<Lane> lanes =
        Arrays.stream(Lane.values())
            .filter(l ->
                l != Lane.DISK_READ && l != Lane.DISK_WRITE
                    || spans.stream().anyMatch(s -> s.lane() == l))
            .toList();
    int bottom = TOP + lanes.size() * ROW;
    int height = bottom + 56;
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
                + " font-family=\"sans-serif\" font-size=\"12\">%n"
                + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
            WIDTH, height));
    out.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"24\" font-size=\"16\">%s: %.1f ms shown</text>%n",
            LEFT,
            title,
            (end - begin) * 1e3));
    for (Lane lane : lanes) {
      int y = TOP + lanes.indexOf(lane) * ROW;
      out.append(
          String.format(
              "<text x=\"8\" y=\"%d\">%s</text><line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\""
                  + " stroke=\"#ddd\"/>%n",
              y + 20, lane.label(), LEFT, WIDTH - 20, y + ROW, y + ROW));
    }
    double tick = tick((end - begin) * 1e3);
    for (int i = 0; i * tick <= (end - begin) * 1e3; i++) {
      double x = LEFT + i * tick / 1e3 * scale;
      out.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%.2f\" x2=\"%.2f\" y1=\"%d\" y2=\"%d\" stroke=\"#ccc\"/>"
                  + "<text x=\"%.2f\" y=\"%d\" text-anchor=\"middle\" fill=\"#555\">%s ms</text>%n",
              x,
              x,
              TOP,
              bottom + 4,
              x,
              bottom + 18,
              tick < 1 ? String.format(Locale.ROOT, "%.2f", i * tick) : Math.round(i * tick)));
    }
    for (Timeline.Span s : spans) {
      double x = LEFT + (s.begin() - begin) * scale;
      double w = Math.max(0.4, (s.end() - s.begin()) * scale);
      out.append(
          String.format(
              Locale.ROOT,
              "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"%s>"
                  + "<title>%s, step %d: %.3f ms</title></rect>%n",
              x,
              TOP + lanes.indexOf(s.lane()) * ROW + 4,
              w,
              ROW - 8,
              colour(s.label()),
              w > 3 ? " stroke=\"white\" stroke-width=\"0.3\"" : "",
              s.label(),
              s.step(),
              (s.end() - s.begin()) * 1e3));
    }
    out.append(
        String.format(
            "<text x=\"%d\" y=\"%d\">F, B passes (blue) · gradients (orange) · streamed state"
                + " (green) · CPU update and its weights (red) · norms, device update (purple) ·"
                + " disk (grey)</text>%n</svg>%n",
            LEFT, height - 12));
    return out.toString();
  }

  /// Milliseconds between two marks of the axis: 1, 2 or 5 times a power of ten, six to fifteen
  /// marks.
  private static double tick(double shown) {
    double power = Math.pow(10, Math.floor(Math.log10(shown / 6)));
    double least = shown / 15;
    return power >= least ? power : 2 * power >= least ? 2 * power : 5 * power;
  }

  private static String colour(String label) {
    if (label.startsWith("F")) {
      return "#7fb2e5";
    }
    if (label.startsWith("B")) {
      return "#2c6fb5";
    }
    if (label.startsWith("flush")) {
      return "#f0983c";
    }
    if (label.startsWith("prefetch") || label.startsWith("write back")) {
      return "#4da862";
    }
    if (label.startsWith("cpu adam") || label.startsWith("upload")) {
      return "#d04848";
    }
    return label.startsWith("load") || label.startsWith("store") ? "#888888" : "#8a63b8";
  }
}
