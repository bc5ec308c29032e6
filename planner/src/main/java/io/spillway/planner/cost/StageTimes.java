package io.spillway.planner.cost;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.simulate.PipelineSimulator.Pipeline;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import java.util.ArrayList;
import java.util.List;

/// The costs of every replica's pipeline and of every stage's reduction, for one placed
/// configuration.
public final class StageTimes {
  /// Gradients are reduced in fp32, weights gathered in the training precision.
  private static final double GRADIENT_BYTES = 4;

  private final Job job;
  private final Cluster cluster;
  private final Parallel cut;
  private final Placement placement;
  private final Calibration calibration;
  private final ComputeCost compute;
  private final Collectives collectives;
  private final int n;

  public StageTimes(
      Job job, Cluster cluster, Parallel cut, Placement placement, Calibration calibration) {
    this.job = job;
    this.cluster = cluster;
    this.cut = cut;
    this.placement = placement;
    this.calibration = calibration;
    compute = new ComputeCost(job, cut, calibration);
    collectives = new Collectives(cluster);
    n = cut.microBatches(job);
  }

  /// The pipelines of all replicas.
  ///
  /// @param times seconds; entry `z` is replica `z`
  /// @param communication seconds of a stage's collectives in one micro-batch, forward and
  ///   backward, `[replica][stage]`
  public record Pipelines(List<Pipeline> times, double[][] communication) {}

  /// Costs of the pipelines of all data-parallel replicas.
  public Pipelines pipelines() {
    int[] tpRings = collectives.ringsOfNode(tensorGroups());
    int[][] crossing = crossingFlows();
    List<Pipeline> lines = new ArrayList<>();
    double[][] communication = new double[cut.dp()][cut.pp()];
    for (int z = 0; z < cut.dp(); z++) {
      int p = cut.pp();
      double[] forward = new double[p * cut.virtualStages()];
      double[] backward = new double[forward.length];
      double[] sendForward = new double[p];
      double[] sendBackward = new double[p];
      for (int x = 0; x < p; x++) {
        Accelerator slowest = slowest(z, x);
        double layerForward = compute.layerForward(slowest);
        double layerBackward = compute.layerBackward(slowest);
        double[] collective = layerCollectives(z, x, tpRings, layerForward);
        for (int c = 0; c < cut.virtualStages(); c++) {
          int at = c * p + x;
          int layers = cut.chunkLayers().get(at);
          forward[at] = layers * (layerForward + collective[0]);
          backward[at] = layers * (layerBackward + collective[1]);
          communication[z][x] += layers * (collective[0] + collective[1]);
          if (at == 0) {
            forward[at] += compute.embedding(slowest);
            backward[at] += compute.embedding(slowest);
          }
          if (at == forward.length - 1) {
            forward[at] += compute.logitsForward(slowest);
            backward[at] += compute.logitsBackward(slowest);
          }
        }
        if (p > 1) {
          sendForward[x] = send(z, x, (x + 1) % p, crossing[0]);
          sendBackward[x] = send(z, x, (x + p - 1) % p, crossing[1]);
        }
      }
      lines.add(
          new Pipeline(
              p,
              cut.virtualStages(),
              n,
              forward,
              backward,
              sendForward,
              sendBackward,
              cut.virtualStages() == 1));
    }
    return new Pipelines(lines, communication);
  }

  /// Seconds of each stage's reduction of gradients (and gathering of weights) if nothing hides it.
  public double[] reductions() {
    double[] seconds = new double[cut.pp()];
    if (cut.dp() * cut.cp() == 1) {
      return seconds;
    }
    List<int[]> groups = reduceGroups();
    int[] rings = collectives.ringsOfNode(groups);
    for (int x = 0; x < cut.pp(); x++) {
      double bytes = stageParameters(x) * GRADIENT_BYTES;
      double weights = stageParameters(x) * job.precision().bytes();
      for (int k = 0; k < cut.tp(); k++) {
        Collectives.Ring ring = collectives.ring(groups.get(x * cut.tp() + k), rings);
        double inside = calibration.insideEfficiency();
        double between = calibration.reduceEfficiency();
        double time =
            cut.distributedOptimizer()
                ? ring.half(bytes, inside, between) + ring.half(weights, inside, between)
                : ring.allReduce(bytes, inside, between);
        seconds[x] = Math.max(seconds[x], time);
      }
    }
    return seconds;
  }

  /// Seconds in which the first and the last stage add their gradients of shared embeddings.
  public double tiedEmbeddings() {
    if (!job.model().tied() || cut.pp() == 1) {
      return 0;
    }
    double bytes = (double) job.model().vocab() * job.model().hidden() / cut.tp() * GRADIENT_BYTES;
    double worst = 0;
    for (int z = 0; z < cut.dp(); z++) {
      int a = placement.gpu(cut, 0, 0, z, 0);
      int b = placement.gpu(cut, 0, 0, z, cut.pp() - 1);
      Link link = cluster.link(a, b);
      double share =
          cluster.nodeOf(a) == cluster.nodeOf(b)
              ? 1
              : Math.min(1, (double) cluster.network().rails() / cut.tp());
      worst = Math.max(worst, link.seconds(bytes / share));
    }
    return worst;
  }

  /// Seconds of the slowest optimizer step of all stages and replicas.
  public double optimizerStep() {
    double worst = 0;
    for (int x = 0; x < cut.pp(); x++) {
      double parameters = stageParameters(x);
      double share = cut.distributedOptimizer() ? parameters / (cut.dp() * cut.cp()) : parameters;
      for (int z = 0; z < cut.dp(); z++) {
        worst = Math.max(worst, compute.optimizerStep(slowest(z, x), share));
      }
    }
    return worst;
  }

  /// Parameters on one device of a stage.
  public double stageParameters(int stage) {
    return stageParameters(job, cut, stage);
  }

  /// Parameters on one device of a stage; experts are cut over the expert-parallel ranks.
  public static double stageParameters(Job job, Parallel cut, int stage) {
    var m = job.model();
    double experts = (double) m.experts() * m.expertParameters() / cut.ep();
    double layer = m.layerParameters() - (double) m.experts() * m.expertParameters() + experts;
    double sum = cut.stageLayers(stage) * layer;
    if (stage == 0) {
      sum += m.embeddingParameters();
    }
    if (stage == cut.pp() - 1 && (!m.tied() || cut.pp() > 1)) {
      sum += m.outputParameters();
    }
    return sum / cut.tp();
  }

  private Accelerator slowest(int z, int x) {
    Accelerator slowest = cluster.accelerator(placement.gpu(cut, 0, 0, z, x));
    for (int c = 0; c < cut.cp(); c++) {
      for (int t = 0; t < cut.tp(); t++) {
        Accelerator other = cluster.accelerator(placement.gpu(cut, t, c, z, x));
        if (other.rate(job.precision()).compareTo(slowest.rate(job.precision())) < 0) {
          slowest = other;
        }
      }
    }
    return slowest;
  }

  /// Collectives of one layer and micro-batch: {forward, backward}.
  private double[] layerCollectives(int z, int x, int[] rings, double layerForward) {
    double bytes = compute.residualBytes();
    double forward = 0;
    double backward = 0;
    if (cut.tp() > 1) {
      double one = 0;
      for (int c = 0; c < cut.cp(); c++) {
        int[] group = new int[cut.tp()];
        for (int t = 0; t < cut.tp(); t++) {
          group[t] = placement.gpu(cut, t, c, z, x);
        }
        Collectives.Ring ring = collectives.ring(group, rings);
        one =
            Math.max(
                one,
                ring.allReduce(
                    bytes, calibration.insideEfficiency(), calibration.outsideEfficiency()));
      }
      // two all-reduces in each direction; reduce-scatter and all-gather pairs cost the same
      forward += 2 * one;
      backward += 2 * one;
    }
    if (cut.cp() > 1) {
      double exposed = contextExchange(z, x, layerForward);
      forward += exposed;
      backward += 2 * exposed;
    }
    if (cut.ep() > 1) {
      double exchange = expertExchange(z, x);
      forward += 2 * exchange;
      backward += 2 * exchange;
    }
    if (cut.recompute() == io.spillway.planner.Recompute.FULL) {
      backward += forward;
    }
    return new double[] {forward, backward};
  }

  /// Keys and values go round the context-parallel ring beside attention; what attention does not
  /// hide is left.
  private double contextExchange(int z, int x, double layerForward) {
    int[] group = new int[cut.cp()];
    for (int c = 0; c < cut.cp(); c++) {
      group[c] = placement.gpu(cut, 0, c, z, x);
    }
    int[] rings = new int[cluster.nodes().size()];
    java.util.Arrays.fill(rings, cut.tp());
    double bytes =
        2 * compute.tokens() * job.model().keyWidth() / cut.tp() * job.precision().bytes();
    double all =
        collectives
            .ring(group, rings)
            .half(
                bytes * cut.cp(), calibration.insideEfficiency(), calibration.outsideEfficiency());
    return Math.max(0, all - 0.3 * layerForward);
  }

  /// One all-to-all between the experts' devices.
  private double expertExchange(int z, int x) {
    int first = z - z % cut.ep();
    int[] group = new int[cut.ep()];
    for (int e = 0; e < cut.ep(); e++) {
      group[e] = placement.gpu(cut, 0, 0, first + e, x);
    }
    int[] rings = new int[cluster.nodes().size()];
    java.util.Arrays.fill(rings, cut.tp() * cut.cp());
    double bytes = compute.residualBytes() * job.model().expertsPerToken() / cut.tp();
    return collectives
        .ring(group, rings)
        .allToAll(bytes, calibration.insideEfficiency(), calibration.outsideEfficiency());
  }

  private List<int[]> tensorGroups() {
    List<int[]> groups = new ArrayList<>();
    if (cut.tp() == 1) {
      return groups;
    }
    for (int base = 0; base < cut.world(); base += cut.tp()) {
      int[] group = new int[cut.tp()];
      for (int t = 0; t < cut.tp(); t++) {
        group[t] = placement.gpu(base + t);
      }
      groups.add(group);
    }
    return groups;
  }

  /// Groups that hold the same weights: entry `stage * tp + t`.
  private List<int[]> reduceGroups() {
    List<int[]> groups = new ArrayList<>();
    for (int x = 0; x < cut.pp(); x++) {
      for (int t = 0; t < cut.tp(); t++) {
        int[] group = new int[cut.dp() * cut.cp()];
        for (int z = 0; z < cut.dp(); z++) {
          for (int c = 0; c < cut.cp(); c++) {
            group[z * cut.cp() + c] = placement.gpu(cut, t, c, z, x);
          }
        }
        groups.add(group);
      }
    }
    return groups;
  }

  /// Messages of one stage that leave each node together: `[forward, backward][stage * nodes +
  /// node]`.
  private int[][] crossingFlows() {
    int nodes = cluster.nodes().size();
    int[][] flows = new int[2][cut.pp() * nodes];
    for (int x = 0; x < cut.pp(); x++) {
      for (int direction = 0; direction < 2; direction++) {
        int to = Math.floorMod(x + (direction == 0 ? 1 : -1), cut.pp());
        for (int z = 0; z < cut.dp(); z++) {
          for (int c = 0; c < cut.cp(); c++) {
            for (int t = 0; t < cut.tp(); t++) {
              int a = cluster.nodeOf(placement.gpu(cut, t, c, z, x));
              if (a != cluster.nodeOf(placement.gpu(cut, t, c, z, to))) {
                flows[direction][x * nodes + a]++;
              }
            }
          }
        }
      }
    }
    return flows;
  }

  /// One micro-batch's activations from stage `x` to stage `to` of replica `z`; the ranks of a
  /// tensor-parallel group send a part each.
  private double send(int z, int x, int to, int[] crossing) {
    int nodes = cluster.nodes().size();
    int rails = cluster.network().rails();
    double bytes = compute.residualBytes() / cut.tp();
    double worst = 0;
    for (int c = 0; c < cut.cp(); c++) {
      for (int t = 0; t < cut.tp(); t++) {
        int a = placement.gpu(cut, t, c, z, x);
        int b = placement.gpu(cut, t, c, z, to);
        if (a == b) {
          continue;
        }
        Link link = cluster.link(a, b);
        int nodeA = cluster.nodeOf(a);
        double share =
            nodeA == cluster.nodeOf(b)
                ? 1
                : Math.min(1.0, (double) rails / Math.max(1, crossing[x * nodes + nodeA]));
        worst = Math.max(worst, link.seconds(bytes / share));
      }
    }
    return worst;
  }
}
