package io.spillway.planner.output;

import io.spillway.planner.simulate.PipelineSimulator.Operation;
import io.spillway.planner.simulate.PipelineSimulator.Timeline;
import java.util.List;
import java.util.Locale;

/// The timeline of a pipeline as SVG: one row for each stage, forward and backward passes as boxes.
public final class TimelineSvg {
  private static final int WIDTH = 1040;
  private static final int ROW = 22;
  private static final int LEFT = 60;
  private static final int TOP = 34;
  private static final int MOST_BOXES = 4000;

  private TimelineSvg() {}

  /// Draws the beginning of the timeline, as far as boxes stay readable.
  public static String draw(Timeline timeline, int stages) {
    List<Operation> shown = timeline.operations().stream().limit(MOST_BOXES).toList();
    double end = shown.stream().mapToDouble(Operation::end).max().orElse(1);
    int height = TOP + stages * ROW + 30;
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d"
                + " %d\" font-family=\"sans-serif\" font-size=\"11\">%n",
            WIDTH,
            height,
            WIDTH,
            height));
    boolean whole = shown.size() == timeline.operations().size();
    out.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"16\" fill=\"currentColor\">forward (blue) and backward (orange)"
                + " passes; %s %.4g s</text>%n",
            LEFT,
            whole ? "the pipeline ends after" : "the first",
            end));
    double scale = (WIDTH - LEFT - 10) / end;
    for (int x = 0; x < stages; x++) {
      out.append(
          String.format(
              Locale.ROOT,
              "<text x=\"4\" y=\"%d\" fill=\"currentColor\">stage %d</text>%n",
              TOP + x * ROW + 14,
              x));
    }
    for (Operation o : shown) {
      double x = LEFT + o.start() * scale;
      double w = Math.max(0.4, (o.end() - o.start()) * scale);
      out.append(
          String.format(
              Locale.ROOT,
              "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\" stroke=\"#ffffff\""
                  + " stroke-width=\"0.3\"><title>%s of micro-batch %d, stage %d, chunk %d: %.4g to"
                  + " %.4g s</title></rect>%n",
              x,
              TOP + o.stage() * ROW,
              w,
              ROW - 4,
              o.forward() ? "#3c8dbc" : "#d55e00",
              o.forward() ? "forward" : "backward",
              o.microBatch(),
              o.stage(),
              o.chunk(),
              o.start(),
              o.end()));
    }
    return out.append("</svg>\n").toString();
  }
}
