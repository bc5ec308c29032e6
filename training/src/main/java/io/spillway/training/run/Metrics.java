package io.spillway.training.run;

import io.spillway.platform.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The curves of a run: `metrics.csv`, `loss.png` and TensorBoard events in its folder. A resumed
/// run drops the rows of steps that it takes again.
final class Metrics implements AutoCloseable {
  private static final String HEADER =
      "step,loss,evaluation_loss,gradient_norm,learning_rate,loss_scale,seconds,tokens_per_second\n";

  private final Path csv;
  private final EventFile events;

  Metrics(Path folder, long firstStep) {
    csv = folder.resolve("metrics.csv");
    try {
      Files.createDirectories(folder);
      StringBuilder kept = new StringBuilder(HEADER);
      if (firstStep > 0 && Files.isRegularFile(csv)) {
        List<String> rows = Files.readAllLines(csv);
        for (String row : rows.subList(Math.min(1, rows.size()), rows.size())) {
          if (row.matches("\\d+,.*")
              && Long.parseLong(row.substring(0, row.indexOf(','))) <= firstStep) {
            kept.append(row).append('\n');
          }
        }
      }
      AtomicFiles.writeString(csv, kept.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + csv + ": " + e.getMessage(), e);
    }
    events = new EventFile(folder);
  }

  void write(
      long step,
      double loss,
      double evaluation,
      double norm,
      double rate,
      double scale,
      double seconds,
      double tokensPerSecond) {
    String row =
        String.format(
            Locale.ROOT,
            "%d,%s,%s,%s,%s,%s,%.6f,%.1f%n",
            step,
            loss,
            Double.isNaN(evaluation) ? "" : evaluation,
            Double.isNaN(norm) ? "" : norm,
            rate,
            scale,
            seconds,
            tokensPerSecond);
    try {
      Files.writeString(csv, row, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + csv + ": " + e.getMessage(), e);
    }
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("loss", loss);
    scalars.put("learning_rate", rate);
    scalars.put("tokens_per_second", tokensPerSecond);
    if (!Double.isNaN(evaluation)) {
      scalars.put("evaluation_loss", evaluation);
    }
    if (!Double.isNaN(norm)) {
      scalars.put("gradient_norm", norm);
    }
    events.write(step, scalars);
  }

  /// Ends the files and draws `loss.png` from the rows.
  @Override
  public void close() {
    events.close();
    Optional<Path> _ = LossCurve.draw(csv, csv.resolveSibling("loss.png"));
  }
}
