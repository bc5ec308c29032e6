package io.spillway.planner.search;

import io.spillway.planner.IterationModel;
import io.spillway.planner.IterationTime;
import io.spillway.planner.Method;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Plan;
import io.spillway.planner.memory.MemoryUse;
import io.spillway.planner.place.Annealer;
import io.spillway.planner.place.PlacementProblem;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Spillway's search: every configuration gets a bound; they are evaluated in the order of their
/// bounds until the bound of the next lies above the last wanted plan; then the best are placed by
/// annealing.
public final class SpillwaySearch {
  private static final int BATCH = 64;
  private static final int RESTARTS = 4;

  /// Ranks stay where they are unless moving them gains more than measured links scatter.
  private static final double WORTH_MOVING = 0.01;

  /// Up to so many accelerators every placement of every evaluated configuration is played.
  private static final int EVERY_PLACEMENT = 4;

  private record Bounded(Parallel cut, double bound) {}

  private record Timed(Parallel cut, double bound, Placement placement, IterationTime time) {}

  private final Request request;
  private final IterationModel model;
  private final Progress progress;
  private final long started = System.nanoTime();

  private SpillwaySearch(Request request, Progress progress) {
    this.request = request;
    this.progress = progress;
    model = request.scope().model();
  }

  /// Searches.
  ///
  /// **Errors:** nothing suits the batch, or nothing fits in memory (with the nearest miss and what
  /// would make it fit).
  public static Answer search(Request request, Progress progress) {
    return new SpillwaySearch(request, progress).run();
  }

  private Answer run() {
    AtomicLong considered = new AtomicLong();
    AtomicLong tooLarge = new AtomicLong();
    Nearest nearest = new Nearest();
    List<Bounded> open = new ArrayList<>();
    Bound bound = new Bound(request.job(), request.cluster(), request.calibration());
    try (Progress.Task task = progress.start("bounds", -1)) {
      new Space(request.job(), request.cluster())
          .forEach(cut -> {
            if (!request.scope().admits().test(cut)) {
              return;
            }
            considered.incrementAndGet();
            task.advance(1);
            if (fits(cut, nearest)) {
              open.add(new Bounded(cut, request.scope().bounded() ? bound.of(cut) : 0));
            } else {
              tooLarge.incrementAndGet();
            }
          });
    }
    if (considered.get() == 0) {
      throw SpillwayException.badInput(
          "no cut of %s suits %d accelerators and a global batch of %d; choose a batch that the"
              + " number of replicas divides, for example %d",
          request.job().model().name(),
          request.cluster().gpus(),
          request.job().globalBatch(),
          request.cluster().gpus());
    }
    if (open.isEmpty()) {
      throw nearest.miss(request);
    }
    open.sort(Comparator.comparingDouble(Bounded::bound));
    List<Timed> timed = evaluate(open);
    long evaluated = timed.size();
    double limit = threshold(timed);
    timed.sort(Comparator.comparingDouble(t -> t.time().seconds()));
    int annealed = 0;
    boolean complete = true;
    List<Timed> placed = new ArrayList<>();
    List<Timed> candidates = new ArrayList<>(pipettePlans());
    timed.stream()
        .filter(t -> t.bound() <= limit)
        .limit(small() ? Integer.MAX_VALUE : Math.max(16, 3L * request.top()))
        .forEach(candidates::add);
    try (Progress.Task task = progress.start("placement", candidates.size())) {
      for (int i = 0; i < candidates.size(); i += 2) {
        if (elapsed() > request.timeLimitSeconds()) {
          complete = false;
          placed.addAll(candidates.subList(i, candidates.size()));
          break;
        }
        List<Timed> pair = candidates.subList(i, Math.min(i + 2, candidates.size()));
        placed.addAll(pair.parallelStream().map(this::anneal).toList());
        annealed += pair.size();
        task.advance(pair.size());
      }
    }
    placed.sort(
        Comparator.comparingDouble((Timed t) -> t.time().seconds())
            .thenComparing(t -> t.cut().label()));
    List<Plan> plans = distinct(placed).stream().limit(request.top()).map(this::plan).toList();
    SearchLog log =
        new SearchLog(
            considered.get(),
            tooLarge.get(),
            open.size() - evaluated,
            evaluated,
            annealed,
            elapsed(),
            complete);
    return new Answer(plans, log);
  }

  private static List<Timed> distinct(List<Timed> sorted) {
    java.util.Set<Parallel> seen = new java.util.HashSet<>();
    return sorted.stream().filter(t -> seen.add(t.cut())).toList();
  }

  private boolean fits(Parallel cut, Nearest nearest) {
    MemoryUse use = request.memory().predict(request.job(), cut, request.card());
    if (use.total() <= request.usable()) {
      return true;
    }
    nearest.offer(cut, use);
    return false;
  }

  /// Evaluates in the order of bounds, a batch at a time on all cores.
  private List<Timed> evaluate(List<Bounded> open) {
    List<Timed> timed = new ArrayList<>();
    PriorityQueue<Double> best = new PriorityQueue<>(Comparator.reverseOrder());
    try (Progress.Task task = progress.start("evaluation", open.size())) {
      for (int i = 0; i < open.size(); i += BATCH) {
        if (best.size() == request.top() && open.get(i).bound() > best.element()
            || elapsed() > request.timeLimitSeconds() && !timed.isEmpty()) {
          break;
        }
        List<Bounded> batch = open.subList(i, Math.min(open.size(), i + BATCH));
        List<Timed> done = batch.parallelStream().map(this::time).toList();
        task.advance(done.size());
        for (Timed t : done) {
          timed.add(t);
          best.add(t.time().seconds());
          if (best.size() > request.top()) {
            best.remove();
          }
        }
      }
    }
    return timed;
  }

  /// The time with rank r on accelerator r.
  private Timed time(Bounded b) {
    Placement identity = Placement.identity(request.cluster().gpus());
    IterationTime time = model.predict(request.job(), request.cluster(), b.cut(), identity);
    return new Timed(b.cut(), b.bound(), identity, time);
  }

  /// Pipette's plans, placed as it places them, with reduction beside the backward pass; they are
  /// candidates like all others, so that the answer is never behind them.
  private List<Timed> pipettePlans() {
    List<Plan> plans;
    try {
      plans = Baselines.search(Method.PIPETTE, request).plans();
    } catch (SpillwayException e) {
      return List.of();
    }
    return plans.stream()
        .limit(2)
        .filter(p -> request.scope().admits().test(p.cut()))
        .map(p -> {
          Parallel cut = p.cut().withOverlap(p.cut().dp() > 1);
          IterationTime time = model.predict(request.job(), request.cluster(), cut, p.placement());
          return new Timed(cut, 0, p.placement(), time);
        })
        .toList();
  }

  private double threshold(List<Timed> timed) {
    double[] sorted = timed.stream().mapToDouble(t -> t.time().seconds()).sorted().toArray();
    return sorted[Math.min(sorted.length, request.top()) - 1];
  }

  /// Whether every placement can be looked at.
  private boolean small() {
    return request.cluster().gpus() <= EVERY_PLACEMENT;
  }

  private Timed anneal(Timed t) {
    if (small()) {
      return everyPlacement(t);
    }
    Optional<PlacementProblem> problem =
        PlacementProblem.of(request.job(), request.cluster(), t.cut(), request.calibration());
    if (problem.isEmpty()) {
      return t;
    }
    int moves = Math.min(20_000, 400 * t.cut().dp() * t.cut().pp());
    List<Annealer.Result> results =
        Annealer.searchAll(problem.get(), request.seeds(), RESTARTS, moves);
    Timed best = t;
    for (Annealer.Result r : results) {
      Placement placement = problem.get().placement(r.slotOfPosition());
      IterationTime time = model.predict(request.job(), request.cluster(), t.cut(), placement);
      if (time.seconds() < best.time().seconds()) {
        best = new Timed(t.cut(), t.bound(), placement, time);
      }
    }
    return best;
  }

  /// The best of all placements, rank by rank.
  private Timed everyPlacement(Timed t) {
    Timed best = t;
    for (int[] order : Permutations.of(request.cluster().gpus())) {
      Placement placement = Placement.of(order);
      IterationTime time = model.predict(request.job(), request.cluster(), t.cut(), placement);
      if (time.seconds() < best.time().seconds()) {
        best = new Timed(t.cut(), t.bound(), placement, time);
      }
    }
    return best.time().seconds() < t.time().seconds() * (1 - WORTH_MOVING) ? best : t;
  }

  private Plan plan(Timed t) {
    double identity =
        model
            .predict(
                request.job(),
                request.cluster(),
                t.cut(),
                Placement.identity(request.cluster().gpus()))
            .seconds();
    return new Plan(
        Method.SPILLWAY,
        t.cut(),
        t.placement(),
        t.time().seconds(),
        t.time(),
        identity,
        request.memory().predict(request.job(), t.cut(), request.card()));
  }

  private double elapsed() {
    return (System.nanoTime() - started) / 1e9;
  }

  /// Remembers the configuration that exceeded the memory least.
  static final class Nearest {
    private @Nullable Parallel cut;
    private @Nullable MemoryUse use;

    void offer(Parallel other, MemoryUse bytes) {
      MemoryUse known = use;
      if (known == null || bytes.total() < known.total()) {
        cut = other;
        use = bytes;
      }
    }

    SpillwayException miss(Request request) {
      MemoryUse bytes = use;
      Parallel near = cut;
      if (bytes == null || near == null) {
        return SpillwayException.doesNotFit("nothing fits");
      }
      double gib = 1L << 30;
      double factor = bytes.total() / request.usable();
      return SpillwayException.doesNotFit(
          "%s does not fit: the nearest miss is %s with %.1f GiB on stage %d, %.1f GiB of %.1f GiB"
              + " are usable; cards of %.0f GiB, or about %d accelerators of this kind, would make it"
              + " fit",
          request.job().model().name(),
          near.label(),
          bytes.total() / gib,
          bytes.stage(),
          request.usable() / gib,
          request.card().memory().gib(),
          Math.ceil(bytes.total() / (1 - request.margin()) / gib),
          (int) Math.ceil(factor * request.cluster().gpus()));
    }
  }
}
