package io.spillway.planner.search;

import io.spillway.planner.IterationTime;
import io.spillway.planner.LatencyModel;
import io.spillway.planner.Method;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Plan;
import io.spillway.planner.Recompute;
import io.spillway.planner.place.Annealer;
import io.spillway.planner.place.PlacementProblem;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Cluster;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The published methods, each with its own space, formula and rules, for comparison. Where a
/// method has no model of memory, its proposals are gone through from its best until one fits; how
/// many did not is told.
public final class Baselines {
  private static final int MOVES = 8000;

  private final Request request;
  private final LatencyModel model;
  private final Placement identity;
  private final long started = System.nanoTime();
  private long considered;
  private long tooLarge;

  private record Ranked(Parallel cut, Placement placement, double seconds) {}

  private Baselines(Request request) {
    this.request = request;
    model = new LatencyModel(request.calibration());
    identity = Placement.identity(request.cluster().gpus());
  }

  /// The method's plans, best first by its own formula.
  public static Answer search(Method method, Request request) {
    Baselines b = new Baselines(request);
    List<Ranked> ranked =
        switch (method) {
          case PIPETTE -> b.pipette();
          case AMP -> b.amp();
          case VARUNA -> b.varuna();
          case MEGATRON -> b.megatron();
          case SPILLWAY -> throw new IllegalArgumentException("not a baseline");
        };
    if (ranked.isEmpty()) {
      throw SpillwayException.doesNotFit(
          "%s finds no configuration of %s that fits this cluster and a global batch of %d",
          method, request.job().model().name(), request.job().globalBatch());
    }
    List<Plan> plans = ranked.stream().limit(request.top()).map(r -> b.plan(method, r)).toList();
    SearchLog log =
        new SearchLog(
            b.considered,
            b.tooLarge,
            0,
            ranked.size(),
            method == Method.PIPETTE ? ranked.size() : 0,
            (System.nanoTime() - b.started) / 1e9,
            true);
    return new Answer(plans, log);
  }

  private List<Ranked> pipette() {
    List<Ranked> all = new ArrayList<>();
    int nodes = request.cluster().nodes().size();
    int layers = request.job().model().layers();
    for (Parallel cut : grid(List.of(1, 2, 4, 8), List.of(1, 2, 4, 8))) {
      if (nodes % cut.pp() != 0 || layers % cut.pp() != 0) {
        continue;
      }
      fitting(cut).ifPresent(c -> all.add(new Ranked(c, identity, forms(c).pipette(identity))));
    }
    all.sort(Comparator.comparingDouble(Ranked::seconds));
    // the paper anneals the mapping of nodes for each candidate; the first ones decide
    List<Ranked> placed = new ArrayList<>();
    for (Ranked r : all.subList(0, Math.min(all.size(), 8))) {
      Placement best = r.placement();
      double seconds = r.seconds();
      var problem =
          PlacementProblem.of(
              request.job(), request.cluster(), r.cut(), request.calibration(), false);
      if (problem.isPresent()) {
        for (var found : Annealer.searchAll(problem.get(), request.seeds(), 1, MOVES)) {
          Placement other = problem.get().placement(found.slotOfPosition());
          double there = forms(r.cut()).pipette(other);
          if (there < seconds) {
            seconds = there;
            best = other;
          }
        }
      }
      placed.add(new Ranked(r.cut(), best, seconds));
    }
    placed.sort(Comparator.comparingDouble(Ranked::seconds));
    return placed;
  }

  private List<Ranked> amp() {
    List<Ranked> all = new ArrayList<>();
    int widest = widest();
    List<Integer> tps = Space.divisors(widest);
    for (Parallel cut : grid(tps, List.of(1, 2, 4, 8, 16, 32))) {
      fitting(cut).ifPresent(c -> all.add(new Ranked(c, identity, forms(c).amp())));
    }
    all.sort(Comparator.comparingDouble(Ranked::seconds));
    return all;
  }

  /// No tensor parallelism, everything computed again, the largest micro-batch that fits.
  private List<Ranked> varuna() {
    List<Ranked> all = new ArrayList<>();
    Cluster cluster = request.cluster();
    for (int pp : Space.divisors(cluster.gpus())) {
      int layers = request.job().model().layers();
      int dp = cluster.gpus() / pp;
      if (layers % pp != 0 || request.job().globalBatch() % dp != 0) {
        continue;
      }
      List<Integer> sizes = new ArrayList<>(Space.divisors(request.job().globalBatch() / dp));
      for (int mb : sizes.reversed()) {
        Parallel cut = Parallel.of(1, pp, dp, mb, layers).withRecompute(Recompute.FULL);
        considered++;
        if (fits(cut)) {
          all.add(
              new Ranked(
                  cut, identity, model.predict(request.job(), cluster, cut, identity).seconds()));
          break;
        }
        tooLarge++;
      }
    }
    all.sort(Comparator.comparingDouble(Ranked::seconds));
    return all;
  }

  /// Tensor parallelism up to the node, then stages until it fits, the rest replicas.
  private List<Ranked> megatron() {
    int layers = request.job().model().layers();
    List<Parallel> grid = grid(Space.divisors(widest()), List.of(1, 2, 4, 8, 16, 32));
    List<Ranked> best = new ArrayList<>();
    int smallest = Integer.MAX_VALUE;
    for (Parallel cut : grid) {
      int pieces = cut.tp() * cut.pp();
      boolean tpFirst = cut.pp() == 1 || cut.tp() == largestTp();
      if (!tpFirst || pieces > smallest || layers % cut.pp() != 0) {
        continue;
      }
      var fitting = fitting(cut);
      if (fitting.isPresent()) {
        if (pieces < smallest) {
          smallest = pieces;
          best.clear();
        }
        best.add(new Ranked(fitting.get(), identity, forms(fitting.get()).megatron()));
      }
    }
    best.sort(Comparator.comparingDouble(Ranked::seconds));
    return best;
  }

  private int largestTp() {
    int largest = 1;
    for (int tp : Space.divisors(widest())) {
      if (request.job().model().heads() % tp == 0) {
        largest = tp;
      }
    }
    return largest;
  }

  private int widest() {
    return request.cluster().nodes().stream().mapToInt(n -> n.gpus()).min().orElse(1);
  }

  /// Plain configurations over tp, pp and micro-batch.
  private List<Parallel> grid(List<Integer> tps, List<Integer> microBatches) {
    List<Parallel> all = new ArrayList<>();
    int gpus = request.cluster().gpus();
    var model = request.job().model();
    for (int tp : tps) {
      if (gpus % tp != 0 || model.heads() % tp != 0) {
        continue;
      }
      for (int pp : Space.divisors(gpus / tp)) {
        int dp = gpus / tp / pp;
        if (pp > model.layers() || request.job().globalBatch() % dp != 0) {
          continue;
        }
        for (int mb : microBatches) {
          if (request.job().globalBatch() / dp % mb == 0) {
            Parallel cut = Parallel.of(tp, pp, dp, mb, model.layers());
            if (PlacementProblem.slots(request.cluster(), cut).isPresent()) {
              all.add(cut);
            }
          }
        }
      }
    }
    return all;
  }

  /// The configuration, with everything computed again if it fits only so.
  private java.util.Optional<Parallel> fitting(Parallel cut) {
    considered++;
    if (fits(cut)) {
      return java.util.Optional.of(cut);
    }
    Parallel again = cut.withRecompute(Recompute.FULL);
    if (fits(again)) {
      return java.util.Optional.of(again);
    }
    tooLarge++;
    return java.util.Optional.empty();
  }

  private boolean fits(Parallel cut) {
    return request.memory().predict(request.job(), cut, request.card()).total() <= request.usable();
  }

  private ClosedForms forms(Parallel cut) {
    return new ClosedForms(request.job(), request.cluster(), cut, request.calibration());
  }

  private Plan plan(Method method, Ranked r) {
    IterationTime time = model.predict(request.job(), request.cluster(), r.cut(), r.placement());
    double plain = model.predict(request.job(), request.cluster(), r.cut(), identity).seconds();
    return new Plan(
        method,
        r.cut(),
        r.placement(),
        r.seconds(),
        time,
        plain,
        request.memory().predict(request.job(), r.cut(), request.card()));
  }
}
