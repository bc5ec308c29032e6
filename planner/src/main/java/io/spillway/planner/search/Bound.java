package io.spillway.planner.search;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.cost.Collectives.Ring;
import io.spillway.planner.cost.ComputeCost;
import io.spillway.planner.cost.StageTimes;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Node;

/// A time below which no placement of a configuration can come, which is why a configuration whose
/// bound lies above a known plan may be left out.
///
/// A stage must run all its micro-batches; before its first forward pass every earlier stage runs
/// one, and after its last backward pass every earlier stage runs one more. All arithmetic is taken
/// on the fastest accelerator, all messages on the fastest link, and what reduction can hide is
/// hidden.
public final class Bound {
  private final Job job;
  private final Calibration calibration;
  private final Accelerator fastest;
  private final double bestInside;
  private final double bestBetween;
  private final double leastAlpha;
  private final int widestNode;

  public Bound(Job job, Cluster cluster, Calibration calibration) {
    this.job = job;
    this.calibration = calibration;
    Accelerator best = cluster.nodes().getFirst().accelerator();
    double inside = 0;
    double between = 0;
    double alpha = Double.POSITIVE_INFINITY;
    int widest = 0;
    for (Node node : cluster.nodes()) {
      if (node.accelerator().rate(job.precision()).compareTo(best.rate(job.precision())) > 0) {
        best = node.accelerator();
      }
      widest = Math.max(widest, node.gpus());
      for (int i = 0; i < node.gpus(); i++) {
        for (int j = 0; j < node.gpus(); j++) {
          if (i != j && (!node.pairs().isEmpty() || i + j == 1)) {
            Link link = node.link(i, j);
            inside = Math.max(inside, link.beta().bytesPerSecond());
            alpha = Math.min(alpha, least(link));
          }
        }
      }
    }
    for (int a = 0; a < cluster.nodes().size(); a++) {
      for (int b = 0; b < cluster.nodes().size(); b++) {
        if (a != b) {
          Link link = cluster.between(a, b);
          between = Math.max(between, fastestRate(link));
          alpha = Math.min(alpha, least(link));
        }
      }
    }
    fastest = best;
    bestInside = inside;
    bestBetween = between * cluster.network().rails();
    leastAlpha = Double.isInfinite(alpha) ? 0 : alpha;
    widestNode = widest;
  }

  /// The bound in seconds.
  public double of(Parallel cut) {
    int n = cut.microBatches(job);
    int p = cut.pp();
    ComputeCost compute = new ComputeCost(job, cut, calibration);
    double collective = collectives(cut, compute);
    double forward = compute.layerForward(fastest) + collective;
    double backward =
        compute.layerBackward(fastest) + collective * (cut.recompute() == Recompute.FULL ? 2 : 1);
    double send = p > 1 && cut.virtualStages() == 1 ? send(cut, compute) : 0;
    double worst = 0;
    double before = 0;
    for (int x = 0; x < p; x++) {
      double each = cut.stageLayers(x) * (forward + backward);
      double first = cut.chunkLayers().get(x) * (forward + backward);
      if (x == 0) {
        each += 2 * compute.embedding(fastest);
        first += 2 * compute.embedding(fastest);
      }
      if (x == p - 1) {
        each += compute.logitsForward(fastest) + compute.logitsBackward(fastest);
      }
      each += (x < p - 1 ? send : 0) + (x > 0 ? send : 0);
      worst = Math.max(worst, n * each + before);
      before += first;
    }
    return (worst + optimizer(cut, compute)) * (1 - 1e-9);
  }

  private double collectives(Parallel cut, ComputeCost compute) {
    if (cut.tp() == 1) {
      return 0;
    }
    boolean inside = cut.tp() <= widestNode;
    Ring ring =
        new Ring(
            cut.tp(),
            bestInside > 0 ? bestInside : Double.POSITIVE_INFINITY,
            inside ? Double.POSITIVE_INFINITY : bestBetween,
            leastAlpha);
    return 2
        * ring.allReduce(
            compute.residualBytes(),
            calibration.insideEfficiency(),
            calibration.outsideEfficiency());
  }

  private double send(Parallel cut, ComputeCost compute) {
    double rate = Math.max(bestInside, bestBetween);
    return leastAlpha + compute.residualBytes() / cut.tp() / rate;
  }

  private double optimizer(Parallel cut, ComputeCost compute) {
    double least = 0;
    for (int x = 0; x < cut.pp(); x++) {
      double parameters = StageTimes.stageParameters(job, cut, x);
      if (cut.distributedOptimizer()) {
        parameters /= cut.dp() * cut.cp();
      }
      least = Math.max(least, compute.optimizerStep(fastest, parameters));
    }
    return least;
  }

  private static double least(Link link) {
    return link.curve().isEmpty() ? link.alpha().seconds() : 0;
  }

  private static double fastestRate(Link link) {
    double rate = link.beta().bytesPerSecond();
    for (Link.Point p : link.curve()) {
      rate = Math.max(rate, p.size().bytes() / Math.max(1e-12, p.time().seconds()));
    }
    return rate;
  }
}
