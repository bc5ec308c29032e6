package io.spillway.planner.place;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.cost.ComputeCost;
import io.spillway.planner.cost.StageTimes;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import java.util.Optional;

/// What the placement of one configuration costs, over blocks: a block is one tensor- and
/// context-parallel group, a slot is a run of accelerators that can hold one.
///
/// The cost is the slowest pipeline's messages, paid once for every round of micro-batches, plus
/// the slowest reduction of gradients.
///
/// **Shapes:** position `z + dp * x` is replica `z` of stage `x`.
///
/// **Source:** Pipette's latency terms, with its weight on messages kept in the objective.
public final class PlacementProblem {
  final int dp;
  final int pp;

  /// Slots of one node, which moves keep together half of the time.
  final int slotsPerNode;

  /// Seconds of one micro-batch's messages between two slots, both directions, times their weight.
  final double[][] message;

  /// Seconds of one micro-batch's arithmetic on a slot relative to the fastest, times its weight.
  final double[] arithmetic;

  /// Inverse rate of a reduction ring's link between two slots.
  final double[][] inverseRate;

  /// Bytes that each link of a stage's reduction carries.
  final double[] reduceBytes;

  private final int unit;
  private final int[] firstGpu;

  PlacementProblem(
      int dp,
      int pp,
      int slotsPerNode,
      double[][] message,
      double[] arithmetic,
      double[][] inverseRate,
      double[] reduceBytes) {
    this.dp = dp;
    this.pp = pp;
    this.slotsPerNode = slotsPerNode;
    this.message = message;
    this.arithmetic = arithmetic;
    this.inverseRate = inverseRate;
    this.reduceBytes = reduceBytes;
    unit = 1;
    firstGpu = new int[dp * pp];
    java.util.Arrays.setAll(firstGpu, i -> i);
  }

  private PlacementProblem(
      Job job,
      Cluster cluster,
      Parallel cut,
      Calibration calibration,
      int unit,
      int[] firstGpu,
      boolean weighted) {
    dp = cut.dp();
    pp = cut.pp();
    this.unit = unit;
    this.firstGpu = firstGpu;
    int slots = firstGpu.length;
    slotsPerNode =
        cluster.hasEvenNodes() ? Math.max(1, cluster.nodes().getFirst().gpus() / unit) : 1;
    message = new double[slots][slots];
    inverseRate = new double[slots][slots];
    arithmetic = new double[slots];
    reduceBytes = new double[pp];
    int n = cut.microBatches(job);
    double weight = weighted ? Math.max(1, (double) n / pp) : 1;
    ComputeCost compute = new ComputeCost(job, cut, calibration);
    double bytes = compute.residualBytes() / cut.tp();
    int rails = cluster.network().rails();
    for (int i = 0; i < slots; i++) {
      int a = cluster.nodeOf(firstGpu[i]);
      double layers = (double) job.model().layers() / pp;
      var on = cluster.accelerator(firstGpu[i]);
      arithmetic[i] = weight * layers * (compute.layerForward(on) + compute.layerBackward(on));
      for (int j = 0; j < slots; j++) {
        if (i == j) {
          continue;
        }
        int b = cluster.nodeOf(firstGpu[j]);
        Link there = cluster.link(firstGpu[i], firstGpu[j]);
        Link back = cluster.link(firstGpu[j], firstGpu[i]);
        int flows = cluster.nodes().get(a).gpus();
        double share = a == b ? 1 : Math.min(1, (double) rails / flows);
        message[i][j] = weight * (there.seconds(bytes / share) + back.seconds(bytes / share));
        double lanes = a == b ? 1 : (double) rails / Math.max(1, Math.min(flows, cut.tp()));
        double efficiency =
            a == b ? calibration.insideEfficiency() : calibration.reduceEfficiency();
        inverseRate[i][j] = 1 / (there.beta().bytesPerSecond() * lanes * efficiency);
      }
    }
    double fastest = java.util.Arrays.stream(arithmetic).min().orElse(0);
    for (int i = 0; i < slots; i++) {
      arithmetic[i] -= fastest;
    }
    for (int x = 0; x < pp; x++) {
      double stage = StageTimes.stageParameters(job, cut, x) * 4;
      double exposed = cut.overlapGradReduce() ? 0.3 : 1;
      reduceBytes[x] = dp > 1 ? 2 * (dp - 1.0) / dp * stage * exposed : 0;
    }
  }

  /// The problem of a configuration, or empty if its groups cannot be aligned with the nodes.
  public static Optional<PlacementProblem> of(
      Job job, Cluster cluster, Parallel cut, Calibration calibration) {
    return of(job, cluster, cut, calibration, true);
  }

  /// The problem with or without the weight on messages; Pipette's own objective leaves it out.
  public static Optional<PlacementProblem> of(
      Job job, Cluster cluster, Parallel cut, Calibration calibration, boolean weighted) {
    return slots(cluster, cut)
        .map(s ->
            new PlacementProblem(job, cluster, cut, calibration, cut.tp() * cut.cp(), s, weighted));
  }

  /// The first accelerator of each slot, or empty if groups would straddle nodes.
  public static Optional<int[]> slots(Cluster cluster, Parallel cut) {
    int unit = cut.tp() * cut.cp();
    if (cluster.gpus() % unit != 0) {
      return Optional.empty();
    }
    for (int first = 0; first < cluster.gpus(); first += unit) {
      int last = first + unit - 1;
      boolean inside = cluster.nodeOf(first) == cluster.nodeOf(last);
      boolean wholeNodes =
          cluster.localIndex(first) == 0
              && cluster.localIndex(last) == cluster.nodes().get(cluster.nodeOf(last)).gpus() - 1;
      if (!inside && !wholeNodes) {
        return Optional.empty();
      }
    }
    int[] slots = new int[cluster.gpus() / unit];
    java.util.Arrays.setAll(slots, i -> i * unit);
    return Optional.of(slots);
  }

  int slots() {
    return firstGpu.length;
  }

  /// The placement of ranks that a permutation of slots means.
  public Placement placement(int[] slotOfPosition) {
    int[] gpuOfRank = new int[slotOfPosition.length * unit];
    for (int position = 0; position < slotOfPosition.length; position++) {
      for (int k = 0; k < unit; k++) {
        gpuOfRank[position * unit + k] = firstGpu[slotOfPosition[position]] + k;
      }
    }
    return Placement.of(gpuOfRank);
  }

  /// The whole cost from nothing; the annealer's changes are checked against it.
  public double cost(int[] slotOfPosition) {
    double slowest = 0;
    for (int z = 0; z < dp; z++) {
      double sum = 0;
      for (int x = 0; x < pp; x++) {
        sum += arithmetic[slotOfPosition[z + dp * x]];
        if (x + 1 < pp) {
          sum += message[slotOfPosition[z + dp * x]][slotOfPosition[z + dp * (x + 1)]];
        }
      }
      slowest = Math.max(slowest, sum);
    }
    double reduce = 0;
    for (int x = 0; x < pp && dp > 1; x++) {
      for (int z = 0; z < dp; z++) {
        int a = slotOfPosition[z + dp * x];
        int b = slotOfPosition[(z + 1) % dp + dp * x];
        reduce = Math.max(reduce, reduceBytes[x] * inverseRate[a][b]);
      }
    }
    return slowest + reduce;
  }
}
