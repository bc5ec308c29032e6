package io.spillway.training.run;

import io.spillway.report.Plot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Draws `metrics.csv`: training loss and held-out loss over the steps.
public final class LossCurve {
  private LossCurve() {}

  /// Writes the plot beside the rows.
  ///
  /// @param csv as a run wrote it
  /// @param image `.png` or `.svg`
  /// @return the plot's file; empty when no step has a finite loss, or when this Java runtime was
  ///   built without java.desktop and cannot draw
  public static Optional<Path> draw(Path csv, Path image) {
    List<double[]> training = new ArrayList<>();
    List<double[]> evaluation = new ArrayList<>();
    try {
      List<String> rows = Files.readAllLines(csv);
      for (String row : rows.subList(Math.min(1, rows.size()), rows.size())) {
        String[] cells = row.split(",", -1);
        add(training, cells[0], cells[1]);
        add(evaluation, cells[0], cells[2]);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + csv + ": " + e.getMessage(), e);
    }
    if (training.isEmpty()) {
      return Optional.empty();
    }
    try {
      Plot plot =
          Plot.xy("Loss", "step", "cross entropy (nats a token)")
              .line("training", column(training, 0), column(training, 1));
      if (!evaluation.isEmpty()) {
        plot.line("held out", column(evaluation, 0), column(evaluation, 1));
      }
      plot.write(image);
      return Optional.of(image);
    } catch (LinkageError e) {
      return Optional.empty();
    }
  }

  private static void add(List<double[]> points, String step, String loss) {
    if (!loss.isEmpty() && Double.isFinite(Double.parseDouble(loss))) {
      points.add(new double[] {Double.parseDouble(step), Double.parseDouble(loss)});
    }
  }

  private static double[] column(List<double[]> points, int column) {
    return points.stream().mapToDouble(p -> p[column]).toArray();
  }
}
