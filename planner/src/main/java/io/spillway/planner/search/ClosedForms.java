package io.spillway.planner.search;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Recompute;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.cost.Collectives;
import io.spillway.planner.cost.ComputeCost;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Cluster;

/// The published closed forms of iteration time, fed with the same costs of arithmetic as
/// Spillway's own model, so that they differ in their form alone.
///
/// **Source:** Pipette (DATE 2024, authors' scripts), AMP (NeurIPS 2022), Megatron-LM (SC 2021).
public final class ClosedForms {
  private final Job job;
  private final Cluster cluster;
  private final Parallel cut;
  private final ComputeCost compute;
  private final double forward;
  private final double backward;

  public ClosedForms(Job job, Cluster cluster, Parallel cut, Calibration calibration) {
    this.job = job;
    this.cluster = cluster;
    this.cut = cut;
    compute = new ComputeCost(job, cut, calibration);
    Accelerator on = cluster.accelerator(0);
    double collective = 0;
    if (cut.tp() > 1) {
      int[] group = new int[cut.tp()];
      java.util.Arrays.setAll(group, i -> i);
      collective =
          2
              * new Collectives(cluster)
                  .ring(group, new int[cluster.nodes().size()])
                  .allReduce(
                      compute.residualBytes(),
                      calibration.insideEfficiency(),
                      calibration.outsideEfficiency());
    }
    double layers = (double) job.model().layers() / cut.pp();
    double again = cut.recompute() == Recompute.FULL ? 2 : 1;
    forward = layers * (compute.layerForward(on) + collective);
    backward = layers * (compute.layerBackward(on) + again * collective);
  }

  /// Forward time of one micro-batch on one stage.
  public double stageForward() {
    return forward;
  }

  public double stageBackward() {
    return backward;
  }

  /// Pipette: messages of the hidden critical path are paid once for every full round of the
  /// pipeline, reduction is a hierarchical ring of the first stage.
  public double pipette(Placement placement) {
    int n = microBatches();
    int p = cut.pp();
    double c = forward + backward;
    double message = 2 * slowestPipeline(placement);
    double reduce = hierarchicalReduce(placement);
    int q = n / p;
    return q >= 1
        ? q * (p * c + message) + (p - 1) * c + reduce
        : p * c + message + (n - 1) * c + reduce;
  }

  /// AMP: three forward times for each slot of the pipeline (a fourth when everything is computed
  /// again), messages once, flat ring, nominal rates.
  public double amp() {
    int n = microBatches();
    int p = cut.pp();
    double rate = cluster.network().link().beta().bytesPerSecond();
    double passes = cut.recompute() == Recompute.FULL ? 4 : 3;
    double d = cut.dp();
    return (n - 1 + p) * passes * forward
        + 2 * (p - 1) * compute.residualBytes() / rate
        + 2 * (d - 1) / d * gradientBytes() / rate;
  }

  /// Megatron-LM's rule for the micro-batch: slots of the pipeline times one micro-batch's work.
  public double megatron() {
    return (microBatches() + cut.pp() - 1) * (forward + backward);
  }

  private int microBatches() {
    return Math.max(1, job.globalBatch() / cut.dp() / cut.microBatch());
  }

  /// Gradients of the first stage on one device, with the layers' 12 h^2 parameters.
  private double gradientBytes() {
    double h = job.model().hidden();
    double layers = (double) job.model().layers() / cut.pp();
    return (h * job.model().vocab() + 12 * h * h * layers) * job.precision().bytes() / cut.tp();
  }

  private double slowestPipeline(Placement placement) {
    double worst = 0;
    for (int z = 0; z < cut.dp(); z++) {
      double sum = 0;
      for (int x = 0; x + 1 < cut.pp(); x++) {
        int a = placement.gpu(cut, 0, 0, z, x);
        int b = placement.gpu(cut, 0, 0, z, x + 1);
        sum += compute.residualBytes() / cluster.link(a, b).beta().bytesPerSecond();
      }
      worst = Math.max(worst, sum);
    }
    return worst;
  }

  private double hierarchicalReduce(Placement placement) {
    if (cut.dp() == 1) {
      return 0;
    }
    double between = Double.POSITIVE_INFINITY;
    java.util.Map<Integer, Integer> members = new java.util.LinkedHashMap<>();
    for (int z = 0; z < cut.dp(); z++) {
      members.merge(cluster.nodeOf(placement.gpu(cut, 0, 0, z, 0)), 1, Integer::sum);
    }
    Integer[] nodes = members.keySet().toArray(Integer[]::new);
    for (int i = 0; i < nodes.length && nodes.length > 1; i++) {
      int next = nodes[(i + 1) % nodes.length];
      between = Math.min(between, cluster.between(nodes[i], next).beta().bytesPerSecond());
    }
    double outer = nodes.length;
    double inner = (double) cut.dp() / nodes.length;
    double inside = cluster.nodes().getFirst().link().beta().bytesPerSecond();
    double bytes = gradientBytes();
    return 2 * (outer - 1) / outer * bytes / between + 2 * (inner - 1) / inner * bytes / inside;
  }
}
