package io.spillway.planner.measure;

import io.spillway.platform.Json;
import io.spillway.testkit.CpuShares;
import io.spillway.testkit.NetworkNamespaces;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/// Trains the small GPT in network namespaces under many cuts and holds predictions against the
/// times (bench/planner-processes.sh starts it).
///
/// Arguments: `run LAYOUT FOLDER [ROUNDS [SEARCH]]` measures one layout into FOLDER/LAYOUT.json and
/// shows it, the search's plan beside it unless SEARCH is false; `show FILE...` shows outcomes
/// again; `middle FILE...` shows several outcomes of one layout as one, profiles and iterations by
/// their medians.
public final class PredictedAgainstMeasured {
  static final GptShape SHAPE = new GptShape(4, 256, 4, 512, 128);
  static final int PROCESSES = 4;
  static final double CORES_EACH = 0.4;
  private static final int GLOBAL_BATCH = 8;

  private PredictedAgainstMeasured() {}

  /// Uplink rates of the four hosts, Mbit/s.
  static List<Long> rates(String layout) {
    List<Long> mega =
        switch (layout) {
          case "even" -> List.of(400L, 400L, 400L, 400L);
          case "uneven" -> List.of(800L, 800L, 200L, 400L);
          default -> throw new IllegalArgumentException("layouts: even, uneven");
        };
    return mega.stream().map(m -> m * 1_000_000).toList();
  }

  static List<Cut> cuts(String layout) {
    List<Cut> cuts = new ArrayList<>();
    for (int b : new int[] {1, 2, 4}) {
      for (int[] g :
          new int[][] {{1, 1, 4}, {1, 2, 2}, {1, 4, 1}, {2, 1, 2}, {2, 2, 1}, {4, 1, 1}}) {
        boolean longest = layout.equals("uneven") && g[0] == 4 && b < 4;
        boolean divides = GLOBAL_BATCH % (g[2] * b) == 0;
        if (!longest && divides) {
          cuts.add(Cut.of(g[0], g[1], g[2], b, GLOBAL_BATCH));
        }
      }
    }
    if (layout.equals("uneven")) {
      // the same cuts with the tensor- or data-parallel pairs across the slow uplinks
      List<Integer> crossed = List.of(0, 2, 1, 3);
      cuts.add(Cut.of(2, 2, 1, 2, GLOBAL_BATCH).on(crossed));
      cuts.add(Cut.of(1, 2, 2, 2, GLOBAL_BATCH).on(crossed));
      cuts.add(Cut.of(1, 4, 1, 2, GLOBAL_BATCH).on(List.of(2, 0, 1, 3)));
    }
    return cuts;
  }

  public static void main(String[] args) throws Exception {
    if (args[0].equals("show")) {
      for (int i = 1; i < args.length; i++) {
        show(
            Path.of(args[i]).getFileName().toString(),
            Json.read(Path.of(args[i]), Experiment.Outcome.class));
      }
      return;
    }
    if (args[0].equals("middle")) {
      List<Experiment.Outcome> all = new ArrayList<>();
      for (int i = 1; i < args.length; i++) {
        all.add(Json.read(Path.of(args[i]), Experiment.Outcome.class));
      }
      show("the middle of " + all.size(), middle(all));
      return;
    }
    String layout = args[1];
    Path folder = Files.createDirectories(Path.of(args[2]));
    Experiment.Plan plan =
        new Experiment.Plan(
            "cpu",
            false,
            SHAPE,
            cuts(layout),
            List.of(4096L, 32_768L, 131_072L, 524_288L, 2_097_152L),
            0.1,
            args.length > 3 ? Integer.parseInt(args[3]) : 3,
            1,
            1,
            args.length <= 4 || Boolean.parseBoolean(args[4]),
            7);
    Experiment.Outcome outcome = measure("spw", plan, rates(layout), CORES_EACH, folder);
    Files.move(
        folder.resolve("outcome.json"),
        folder.resolve(layout + ".json"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    show(layout, outcome);
  }

  /// Outcomes of one plan as one.
  private static Experiment.Outcome middle(List<Experiment.Outcome> all) {
    Experiment.Outcome first = all.getFirst();
    List<Experiment.Trained> trained = new ArrayList<>(first.trained());
    List<Experiment.Trained> picked = new ArrayList<>(first.picked());
    for (Experiment.Outcome more : all.subList(1, all.size())) {
      for (int i = 0; i < trained.size(); i++) {
        trained.set(i, trained.get(i).and(more.trained().get(i)));
      }
      if (picked.isEmpty()) {
        picked.addAll(more.picked());
      }
    }
    return new Experiment.Outcome(
        first.plan(),
        ComputeProfile.middle(all.stream().map(Experiment.Outcome::compute).toList()),
        LinkProfile.middle(all.stream().map(Experiment.Outcome::links).toList()),
        trained,
        picked);
  }

  /// @param name of the namespaces, at most 6 letters
  static Experiment.Outcome measure(
      String name, Experiment.Plan plan, List<Long> rates, double cores, Path folder)
      throws InterruptedException {
    try (NetworkNamespaces net = NetworkNamespaces.build(name, rates);
        CpuShares shares = CpuShares.build(name, Collections.nCopies(rates.size(), cores))) {
      List<List<String>> prefixes = new ArrayList<>();
      for (int i = 0; i < rates.size(); i++) {
        List<String> prefix = new ArrayList<>(shares.enter(i));
        prefix.addAll(net.enter(i));
        prefixes.add(prefix);
      }
      return MeasuredJob.run(rates.size(), plan, folder, prefixes, net.address(0), true);
    }
  }

  /// A table of one outcome.
  static void show(String name, Experiment.Outcome outcome) {
    IterationPredictor predictor =
        new IterationPredictor(outcome.plan().shape(), outcome.compute(), outcome.links());
    System.out.printf(
        "%s%n%-34s %9s %9s %7s   %s%n",
        name, "cut", "measured", "predicted", "error", "compute tensor waiting reduction; runs");
    System.out.printf(
        Locale.ROOT,
        "slowdown by active processes %s; sums %s%n",
        outcome.compute().slowdown(),
        outcome.compute().sums());
    double sum = 0;
    double worst = 0;
    double best = Double.MAX_VALUE;
    for (Experiment.Trained t : outcome.trained()) {
      IterationPredictor.Prediction p = predictor.predict(t.cut());
      double error = p.seconds() / t.median() - 1;
      sum += Math.abs(error);
      worst = Math.max(worst, Math.abs(error));
      best = Math.min(best, t.median());
      System.out.printf(
          Locale.ROOT,
          "%-34s %8.3fs %8.3fs %+6.1f%%   %.3f %.3f %.3f %.3f; %s%n",
          t.cut().label(),
          t.median(),
          p.seconds(),
          100 * error,
          p.computing(),
          p.tensor(),
          p.waiting(),
          p.reduction(),
          t.seconds().stream().map(s -> String.format(Locale.ROOT, "%.3f", s)).toList());
    }
    List<Cut> cuts = outcome.trained().stream().map(Experiment.Trained::cut).toList();
    int picked = predictor.best(cuts);
    System.out.printf(
        Locale.ROOT,
        "mean error %.1f %%, largest %.1f %%; picked %s: %.3f s, %.1f %% over the best of %d%n",
        100 * sum / cuts.size(),
        100 * worst,
        cuts.get(picked).label(),
        outcome.trained().get(picked).median(),
        100 * (outcome.trained().get(picked).median() / best - 1),
        cuts.size());
    if (!outcome.picked().isEmpty()) {
      Experiment.Trained own = outcome.picked().getFirst();
      Experiment.Trained beside = outcome.picked().getLast();
      IterationPredictor.Prediction p = predictor.predict(own.cut());
      System.out.printf(
          Locale.ROOT,
          "the search picks %s: predicted %.3f s, measured %.3f s %s; beside it the best cut %s: %.3f s %s; %+.1f %%%n",
          own.cut().label(),
          p.seconds(),
          own.median(),
          own.seconds(),
          beside.cut().label(),
          beside.median(),
          beside.seconds(),
          100 * (own.median() / beside.median() - 1));
    }
  }
}
