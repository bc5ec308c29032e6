package io.spillway.planner.cost;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.model.ModelShape;

/// Seconds of arithmetic on one accelerator for one micro-batch, communication left out.
///
/// A layer's forward pass is: matrix products at a share of the peak rate (or at the speed of
/// memory where they are small), the arithmetic of attention, the scores' trips to memory where
/// attention is not fused, the norms' and activations' trips, and a fixed time. The backward pass
/// takes twice that, plus what is computed again.
///
/// **Source:** ours; counts of arithmetic after Narayanan et al., SC 2021, appendix.
public final class ComputeCost {
  /// Trips of an `[s, b, h]` tensor in a forward pass: two norms (4) and two bias-dropout-residual
  /// additions (7).
  private static final double RESIDUAL_TRIPS = 11;

  /// Trips of the feed-forward activations and the layout changes around attention.
  private static final double WIDE_TRIPS = 3.5;

  /// Bytes read and written for each parameter by a mixed-precision Adam step.
  private static final double OPTIMIZER_BYTES = 20;

  private final Job job;
  private final Parallel cut;
  private final Calibration calibration;
  private final double tokens;

  public ComputeCost(Job job, Parallel cut, Calibration calibration) {
    this.job = job;
    this.cut = cut;
    this.calibration = calibration;
    tokens = (double) cut.microBatch() * job.sequence() / cut.cp();
  }

  /// One layer's forward pass.
  public double layerForward(Accelerator on) {
    return products(on, layerMatrixParameters())
        + attention(on)
        + trips(on)
        + calibration.layerSeconds();
  }

  /// One layer's backward pass with what is computed again.
  public double layerBackward(Accelerator on) {
    double again =
        switch (cut.recompute()) {
          case NONE -> 0;
          case SELECTIVE -> attention(on);
          case FULL -> layerForward(on);
        };
    return 2 * layerForward(on) + again;
  }

  /// The output layer and the loss, forward.
  public double logitsForward(Accelerator on) {
    ModelShape m = job.model();
    double vocab = (double) m.vocab() / cut.tp();
    double lossBytes = 3 * 4.0 * tokens * vocab;
    return products(on, vocab * m.hidden() * cut.tp())
        + lossBytes / on.memoryBandwidth().bytesPerSecond();
  }

  public double logitsBackward(Accelerator on) {
    return 2 * logitsForward(on);
  }

  /// Looking up and adding positions, forward or backward.
  public double embedding(Accelerator on) {
    return 3 * elements() * job.precision().bytes() / on.memoryBandwidth().bytesPerSecond();
  }

  /// One step of Adam over `parameters` of one device.
  public double optimizerStep(Accelerator on, double parameters) {
    return parameters * OPTIMIZER_BYTES / on.memoryBandwidth().bytesPerSecond();
  }

  /// Bytes of the activations that pass between two layers, for one micro-batch.
  public double residualBytes() {
    return elements() * job.precision().bytes();
  }

  /// Tokens of one micro-batch on one device.
  public double tokens() {
    return tokens;
  }

  private double elements() {
    return tokens * job.model().hidden();
  }

  /// Matrix parameters of one layer that each token passes, all tensor-parallel ranks together.
  private double layerMatrixParameters() {
    ModelShape m = job.model();
    return (double) m.hidden() * (m.queryWidth() * 2 + 2 * m.keyWidth())
        + (m.isMixture()
            ? (double) m.expertsPerToken() * m.expertParameters()
            : (double) m.feedForwardParameters());
  }

  private double products(Accelerator on, double parameters) {
    double flops = 2 * tokens * parameters / cut.tp();
    double bytes = parameters / cut.tp() * job.precision().bytes();
    return Math.max(
        flops / (rate(on) * calibration.gemmEfficiency()),
        bytes / on.memoryBandwidth().bytesPerSecond());
  }

  private double attention(Accelerator on) {
    ModelShape m = job.model();
    double pairs = tokens * job.sequence() / cut.tp();
    double flops = 4 * pairs * m.queryWidth();
    if (job.flashAttention()) {
      // the causal half, at the lower rate that fused attention reaches
      return flops / 2 / (rate(on) * calibration.gemmEfficiency() * 0.7);
    }
    double scoreBytes = pairs * m.heads() * job.precision().bytes() * calibration.scorePasses();
    return flops / (rate(on) * calibration.gemmEfficiency())
        + scoreBytes / on.memoryBandwidth().bytesPerSecond();
  }

  private double trips(Accelerator on) {
    ModelShape m = job.model();
    double residual = RESIDUAL_TRIPS * elements() / (cut.sequenceParallel() ? cut.tp() : 1);
    double width = m.isMixture() ? (double) m.expertsPerToken() * m.expertFfn() : m.ffn();
    double wide = WIDE_TRIPS * (m.gated() ? 1.5 : 1) * tokens * width / cut.tp();
    return (residual + wide) * job.precision().bytes() / on.memoryBandwidth().bytesPerSecond();
  }

  private double rate(Accelerator on) {
    return on.rate(job.precision()).flopsPerSecond();
  }

  /// Whether full recomputation repeats a layer's collectives.
  boolean repeatsForward() {
    return cut.recompute() == Recompute.FULL;
  }
}
