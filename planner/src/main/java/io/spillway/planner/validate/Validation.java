package io.spillway.planner.validate;

import io.spillway.planner.LatencyModel;
import io.spillway.planner.Placement;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.LearnedMemory;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.memory.NoCorrection;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.TextTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/// Predictions beside the measurements of a file, whose kind its header tells.
public final class Validation {
  /// The outcome.
  ///
  /// @param figures errors by name, as shares
  public record Report(String kind, TextTable rows, Map<String, Object> figures) {
    /// All of it as text.
    public String text() {
      StringBuilder out = new StringBuilder();
      figures.forEach((name, value) ->
          out.append(
              value instanceof Double d
                  ? String.format(Locale.ROOT, "%s: %.3f%n", name, d)
                  : name + ": " + value + "\n"));
      return out.toString();
    }
  }

  /// Share of a card that `plan` leaves free by default.
  private static final double MARGIN = 0.06;

  private Validation() {}

  /// Reads and compares.
  ///
  /// @param refit whether the calibration is also fitted anew, each model left out in turn
  public static Report of(
      Path file, Calibration calibration, boolean refit, MemoryFit.Learner learner, Seeds seeds) {
    Csv.Row header = Csv.read(file).getFirst();
    if (header.has(VtrainFile.MARK)) {
      return latency("vtrain", VtrainFile.read(file), calibration, refit);
    }
    if (header.has(SailorFile.MARK)) {
      return memory(SailorFile.read(file), refit, learner, seeds);
    }
    if (header.has(AmpFile.MARK)) {
      return ranking(AmpFile.read(file), AmpFile.ampPredictions(file), calibration);
    }
    throw SpillwayException.badFile(
        file,
        ":1",
        "unknown columns; one of '%s', '%s' or '%s' is needed",
        VtrainFile.MARK,
        SailorFile.MARK,
        AmpFile.MARK);
  }

  /// What `plan --memory` reads, learned from a file of measured peaks.
  public static LearnedMemory learnMemory(Path file) {
    if (!Csv.read(file).getFirst().has(SailorFile.MARK)) {
      throw SpillwayException.badFile(
          file, ":1", "memory is learned from a column '%s', which is missing", SailorFile.MARK);
    }
    return MemoryFit.learn(
        SailorFile.read(file).stream().filter(r -> r.doubt().isEmpty()).toList());
  }

  private static Report latency(
      String kind, List<Measured> rows, Calibration calibration, boolean refit) {
    double[] built = Fit.errors(rows, calibration);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("rows", rows.size());
    figures.put("mean error, calibration as given", Statistics.mape(built));
    figures.put("median error", Statistics.median(built));
    double[] left = built;
    if (refit) {
      left = Fit.leaveOneGroupOut(rows);
      figures.put("mean error, each model left out of the fit", Statistics.mape(left));
      figures.put("calibration fitted to all rows", Fit.fit(rows).toString());
    }
    byGroup(rows, left, figures);
    TextTable table = new TextTable("row", "measured s", "error", "left out");
    for (int i = 0; i < built.length; i++) {
      table.row(
          rows.get(i).label(),
          String.format(Locale.ROOT, "%.3f", rows.get(i).seconds().orElseThrow()),
          percent(built[i]),
          percent(left[i]));
    }
    return new Report(kind, table, figures);
  }

  private static Report memory(
      List<Measured> rows, boolean refit, MemoryFit.Learner learner, Seeds seeds) {
    List<Measured> sound = rows.stream().filter(r -> r.doubt().isEmpty()).toList();
    LearnedMemory shipped = LearnedMemory.builtIn();
    double[] counted =
        MemoryFit.errors(rows, new MemoryModel(shipped.constants(), new NoCorrection()));
    double[] built = MemoryFit.errors(rows, shipped.model());
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("rows", rows.size());
    figures.put("rows that contradict themselves", rows.size() - sound.size());
    memoryFigures(figures, "without correction", rows, counted);
    memoryFigures(figures, "as shipped", rows, built);
    double[] left = built;
    if (refit) {
      left = leftOut(rows, sound, learner, seeds);
      memoryFigures(figures, "each row left out of constants and " + learner, rows, left);
    }
    TextTable table = new TextTable("row", "measured GB", "uncorrected", "shipped", "left out");
    for (int i = 0; i < built.length; i++) {
      table.row(
          rows.get(i).label(),
          String.format(Locale.ROOT, "%.2f", rows.get(i).peakBytes().orElseThrow() / 1e9),
          percent(counted[i]),
          percent(built[i]),
          percent(left[i]));
      String label = rows.get(i).label();
      rows.get(i).doubt().ifPresent(why -> figures.put("contradiction of " + label, why));
    }
    return new Report("sailor", table, figures);
  }

  /// Rows that contradict themselves are predicted from all sound ones.
  private static double[] leftOut(
      List<Measured> rows, List<Measured> sound, MemoryFit.Learner learner, Seeds seeds) {
    double[] among = MemoryFit.leaveOneOut(sound, learner, seeds);
    MemoryModel all = MemoryFit.fit(sound, learner, seeds);
    double[] left = new double[rows.size()];
    int next = 0;
    for (int i = 0; i < left.length; i++) {
      left[i] =
          rows.get(i).doubt().isEmpty()
              ? among[next++]
              : MemoryFit.errors(List.of(rows.get(i)), all)[0];
    }
    return left;
  }

  private static void memoryFigures(
      Map<String, Object> figures, String name, List<Measured> rows, double[] errors) {
    double[] sound =
        IntStream.range(0, errors.length)
            .filter(i -> rows.get(i).doubt().isEmpty())
            .mapToDouble(i -> errors[i])
            .toArray();
    figures.put("mean error of peak memory, " + name, Statistics.mape(sound));
    figures.put("median error, " + name, Statistics.median(sound));
    figures.put("mean error with the contradicting rows, " + name, Statistics.mape(errors));
  }

  private static Report ranking(List<Measured> rows, double[] amp, Calibration calibration) {
    LatencyModel model = new LatencyModel(calibration);
    MemoryModel memory = new MemoryModel(LearnedMemory.builtIn().constants(), new NoCorrection());
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("rows", rows.size());
    TextTable table = new TextTable("row", "measured s", "predicted s", "AMP s", "GiB");
    double[] seconds = new double[rows.size()];
    double[] gib = new double[rows.size()];
    for (int i = 0; i < seconds.length; i++) {
      Measured r = rows.get(i);
      seconds[i] =
          model
              .predict(r.job(), r.cluster(), r.cut(), Placement.identity(r.cluster().gpus()))
              .seconds();
      gib[i] = memory.predict(r.job(), r.cut(), r.cluster().accelerator(0)).total() / (1L << 30);
      table.row(
          r.label(),
          r.seconds()
              .map(s -> String.format(Locale.ROOT, "%.2f", s))
              .orElse("failed, " + FailedTrials.of(r, rows).name().toLowerCase(Locale.ROOT)),
          String.format(Locale.ROOT, "%.2f", seconds[i]),
          String.format(Locale.ROOT, "%.2f", amp[i]),
          String.format(Locale.ROOT, "%.1f", gib[i]));
    }
    for (String group : rows.stream().map(Measured::group).distinct().toList()) {
      List<Integer> good = new ArrayList<>();
      for (int i = 0; i < seconds.length; i++) {
        if (rows.get(i).group().equals(group) && rows.get(i).seconds().isPresent()) {
          good.add(i);
        }
      }
      if (good.isEmpty()) {
        figures.put(group, "no trial ran, nothing to rank");
        continue;
      }
      double[] measured =
          good.stream().mapToDouble(i -> rows.get(i).seconds().orElseThrow()).toArray();
      double[] ours = good.stream().mapToDouble(i -> seconds[i]).toArray();
      double[] theirs = good.stream().mapToDouble(i -> amp[i]).toArray();
      figures.put(group + ": rank correlation", Statistics.rankCorrelation(ours, measured));
      figures.put(
          group + ": rank correlation of AMP", Statistics.rankCorrelation(theirs, measured));
      figures.put(group + ": top-1 regret", Statistics.topRegret(ours, measured));
      figures.put(group + ": top-1 regret of AMP", Statistics.topRegret(theirs, measured));
    }
    FailedTrials.count(rows, gib, MARGIN)
        .forEach((kind, count) ->
            figures.put(
                "failed trials, " + kind.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                count[0] + ", of which the memory model accepts " + count[1]));
    long lost =
        IntStream.range(0, seconds.length)
            .filter(i -> rows.get(i).seconds().isPresent())
            .filter(i -> !FailedTrials.fits(rows.get(i), gib[i], MARGIN))
            .count();
    figures.put("trials that ran and that the memory model refuses", lost);
    return new Report("amp", table, figures);
  }

  private static void byGroup(List<Measured> rows, double[] errors, Map<String, Object> figures) {
    for (String group : rows.stream().map(Measured::group).distinct().toList()) {
      double[] inside =
          IntStream.range(0, errors.length)
              .filter(i -> rows.get(i).group().equals(group))
              .mapToDouble(i -> errors[i])
              .toArray();
      figures.put("mean error on " + group, Statistics.mape(inside));
    }
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%+.1f %%", 100 * share);
  }
}
