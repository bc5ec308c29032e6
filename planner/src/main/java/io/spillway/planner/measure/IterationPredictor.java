package io.spillway.planner.measure;

import io.spillway.planner.simulate.PipelineSimulator;
import io.spillway.platform.hardware.Link;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Predicts an iteration of the small GPT from measured inputs alone: compute of one block and
/// links between pairs go in, the schedule is played event by event.
///
/// **Units:** seconds.
public final class IterationPredictor {
  private final GptShape shape;
  private final ComputeProfile compute;
  private final Link[][] links;
  private final Map<Long, Double> delays = new HashMap<>();

  public IterationPredictor(GptShape shape, ComputeProfile compute, LinkProfile profile) {
    this.shape = shape;
    this.compute = compute;
    int n = profile.processes();
    links = new Link[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (i != j) {
          links[i][j] = profile.link(i, j);
        }
      }
    }
    // how much later a message is whose sender has just computed, the mean over all pairs
    Map<Long, List<Double>> late = new HashMap<>();
    for (ComputeProfile.HandOff h : compute.handOffs()) {
      late.computeIfAbsent(h.bytes(), k -> new ArrayList<>())
          .add(h.seconds() - links[h.from()][h.to()].seconds(h.bytes()));
    }
    late.forEach((bytes, each) ->
        delays.put(
            bytes,
            Math.max(0, each.stream().mapToDouble(Double::doubleValue).average().orElse(0))));
  }

  /// Where the seconds go, on the stage that ends last.
  ///
  /// @param tensor sums over the tensor-parallel ranks
  /// @param waiting bubbles, messages between stages, and meeting at the end
  /// @param reduction of gradients over the replicas
  /// @param busy mean over all processes of the time they compute
  public record Prediction(
      double seconds,
      double computing,
      double tensor,
      double waiting,
      double reduction,
      double busy) {}

  /// The predicted iteration. How many processes compute at once follows from the schedule, and how
  /// fast they compute from their number, so the schedule is played until both agree.
  public Prediction predict(Cut cut) {
    double active = compute.slowdown().size();
    Prediction prediction = predict(cut, compute.slowdown(active));
    for (int i = 0; i < 4; i++) {
      double share = prediction.busy() / prediction.seconds();
      active = share * cut.process().size();
      prediction = predict(cut, compute.slowdown(active));
    }
    return prediction;
  }

  private Prediction predict(Cut cut, double slowdown) {
    ComputeProfile.Entry e = compute.entry(cut.tp(), cut.microBatch());
    double[] finish = new double[cut.pp()];
    double[] computing = new double[cut.pp()];
    double[] tensor = new double[cut.pp()];
    double busy = 0;
    for (int d = 0; d < cut.dp(); d++) {
      double[] forward = new double[cut.pp()];
      double[] backward = new double[cut.pp()];
      double[] sendForward = new double[cut.pp()];
      double[] sendBackward = new double[cut.pp()];
      for (int p = 0; p < cut.pp(); p++) {
        int layers = cut.layersOf(p, shape.layers());
        double sum = sum(tensorGroup(cut, d, p), cut.microBatch() * shape.residualBytes(), true);
        double f = e.forward(layers);
        double b = e.backward(layers);
        if (p == 0) {
          f += e.firstForward();
          b += e.firstBackward();
        }
        if (p == cut.pp() - 1) {
          f += e.lastForward();
          b += e.lastBackward();
        }
        f *= slowdown;
        b *= slowdown;
        busy += cut.microBatches() * (f + b) / cut.pp() / cut.dp();
        // two sums in each direction of each block
        forward[p] = f + 2 * layers * sum;
        backward[p] = b + 2 * layers * sum;
        computing[p] = cut.microBatches() * (f + b);
        tensor[p] = cut.microBatches() * 4 * layers * sum;
        sendForward[p] = p < cut.pp() - 1 ? send(cut, d, p, p + 1) : 0;
        sendBackward[p] = p > 0 ? send(cut, d, p, p - 1) : 0;
      }
      double[] end =
          PipelineSimulator.run(
                  new PipelineSimulator.Pipeline(
                      cut.pp(),
                      1,
                      cut.microBatches(),
                      forward,
                      backward,
                      sendForward,
                      sendBackward,
                      false))
              .finish();
      for (int p = 0; p < cut.pp(); p++) {
        finish[p] = Math.max(finish[p], end[p]);
      }
    }
    Prediction slowest = new Prediction(-1, 0, 0, 0, 0, 0);
    for (int p = 0; p < cut.pp(); p++) {
      long bytes = cut.weightBytes(shape, p);
      double reduction = 0;
      for (int t = 0; t < cut.tp(); t++) {
        reduction = Math.max(reduction, sum(dataGroup(cut, t, p), bytes, false));
      }
      double update = bytes * compute.updatePerByte();
      double total = finish[p] + reduction + update + compute.closing();
      if (total > slowest.seconds()) {
        slowest =
            new Prediction(
                total,
                computing[p] + update,
                tensor[p],
                finish[p] - computing[p] - tensor[p] + compute.closing(),
                reduction,
                busy);
      }
    }
    return slowest;
  }

  private double send(Cut cut, int d, int from, int to) {
    double worst = 0;
    long bytes = cut.microBatch() * shape.residualBytes();
    for (int t = 0; t < cut.tp(); t++) {
      Link link = links[cut.process(t, d, from)][cut.process(t, d, to)];
      worst = Math.max(worst, link.seconds(bytes));
    }
    return worst + delays.getOrDefault(bytes, 0.0);
  }

  /// As it was measured: sums between blocks amid compute, reductions of gradients with all groups
  /// at once. What was not measured comes from the links: a ring all-reduce of 2(n - 1) steps that
  /// each move one n-th over every link of the ring at once; the slowest link sets the pace.
  private double sum(int[] group, long bytes, boolean amidCompute) {
    int n = group.length;
    if (n == 1) {
      return 0;
    }
    List<Integer> members = Arrays.stream(group).boxed().toList();
    Optional<Double> measured =
        amidCompute ? compute.sum(members, bytes) : compute.reduction(members, bytes);
    if (measured.isPresent()) {
      return measured.get();
    }
    double step = 0;
    for (int i = 0; i < n; i++) {
      step = Math.max(step, links[group[i]][group[(i + 1) % n]].seconds((double) bytes / n));
    }
    return 2 * (n - 1) * step;
  }

  private static int[] tensorGroup(Cut cut, int d, int p) {
    int[] group = new int[cut.tp()];
    Arrays.setAll(group, t -> cut.process(t, d, p));
    return group;
  }

  private static int[] dataGroup(Cut cut, int t, int p) {
    int[] group = new int[cut.dp()];
    Arrays.setAll(group, d -> cut.process(t, d, p));
    return group;
  }

  /// Whether the pieces of such cuts were measured.
  public boolean knows(int tp, int microBatch) {
    return compute.entries().stream().anyMatch(e -> e.tp() == tp && e.microBatch() == microBatch);
  }

  /// The index of the cut that is predicted to be fastest.
  public int best(List<Cut> cuts) {
    int best = 0;
    for (int i = 1; i < cuts.size(); i++) {
      if (predict(cuts.get(i)).seconds() < predict(cuts.get(best)).seconds()) {
        best = i;
      }
    }
    return best;
  }
}
