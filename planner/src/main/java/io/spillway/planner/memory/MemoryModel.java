package io.spillway.planner.memory;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.cost.StageTimes;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;

/// Bytes that a device needs: states, activations in flight, logits and buffers of its stage, times
/// a correction learned from measured peaks.
///
/// **Source:** activation bytes of one layer after Korthikanti et al., "Reducing Activation
/// Recomputation in Large Transformer Models", 2022; state bytes as Megatron-LM keeps them; buffers
/// fitted to measurements.
public final class MemoryModel {
  /// The runtime's context, libraries and workspaces.
  private static final double CONTEXT = 0.9e9;

  /// Communication buffers for each tensor-parallel peer.
  private static final double PEER_BUFFER = 0.62e9;

  /// Share of activations that the allocator wastes.
  private static final double FRAGMENTATION = 0.04;

  private final MemoryCorrection correction;

  public MemoryModel(MemoryCorrection correction) {
    this.correction = correction;
  }

  /// The fullest stage.
  public MemoryUse predict(Job job, Parallel cut, double cardBytes) {
    MemoryUse fullest = analytic(job, cut, 0);
    // activations in flight fall from stage to stage, so that only these can be the fullest
    for (int x : new int[] {Math.min(1, cut.pp() - 1), cut.pp() - 1}) {
      MemoryUse at = analytic(job, cut, x);
      if (at.total() > fullest.total()) {
        fullest = at;
      }
    }
    double factor = correction.factor(features(job, cut, cardBytes));
    return new MemoryUse(
        fullest.stage(),
        fullest.states(),
        fullest.activations(),
        fullest.logits(),
        fullest.buffers(),
        factor);
  }

  /// One stage without the learned correction.
  public static MemoryUse analytic(Job job, Parallel cut, int stage) {
    double states = StageTimes.stageParameters(job, cut, stage) * stateBytes(job, cut);
    double activations = activations(job, cut, stage);
    double logits = 0;
    if (stage == cut.pp() - 1) {
      // fp32 logits, their gradient and the loss's workspace, for one micro-batch
      double tokens = (double) cut.microBatch() * job.sequence() / cut.cp();
      logits = tokens * job.model().vocab() / cut.tp() * 10;
    }
    double buffers =
        CONTEXT + PEER_BUFFER * Math.min(cut.tp(), 8) + (activations + logits) * FRAGMENTATION;
    return new MemoryUse(stage, states, activations, logits, buffers, 1);
  }

  /// Bytes of weights, gradients and optimizer states for one parameter.
  static double stateBytes(Job job, Parallel cut) {
    double d = cut.dp() * cut.cp();
    boolean cutStates = cut.distributedOptimizer();
    return switch (job.precision()) {
      case BF16, FP8 -> cutStates ? 6 + 12 / d : 18;
      case FP16 -> cutStates ? 4 + 16 / d : 20;
      case FP32, TF32 -> cutStates ? 8 + 8 / d : 16;
    };
  }

  /// Activations of all micro-batches that are in flight on a stage.
  private static double activations(Job job, Parallel cut, int stage) {
    int n = job.globalBatch() / (cut.dp() * cut.microBatch());
    double layers = cut.stageLayers(stage);
    double flights = Math.min(n, cut.pp() - stage);
    if (cut.virtualStages() > 1) {
      double p = cut.pp();
      flights = Math.min(n, Math.max(1, (p - stage) * (1 + (p - 1) / (p * cut.virtualStages()))));
    }
    double kept = layers * flights * keptBytes(job, cut);
    return switch (cut.recompute()) {
      // beside the inputs, one layer is alive in full while it is computed again
      case FULL -> kept + layerBytes(job, cut, true);
      case NONE, SELECTIVE -> kept;
    };
  }

  private static double keptBytes(Job job, Parallel cut) {
    return switch (cut.recompute()) {
      case NONE -> layerBytes(job, cut, true);
      case SELECTIVE -> layerBytes(job, cut, false);
      case FULL -> 2 * elements(job, cut) * width(job) / (cut.sequenceParallel() ? cut.tp() : 1);
    };
  }

  /// Activations of one layer and micro-batch.
  private static double layerBytes(Job job, Parallel cut, boolean withScores) {
    ModelShape m = job.model();
    double t = cut.tp();
    double sbh = elements(job, cut);
    double whole = 10 / (cut.sequenceParallel() ? t : 1);
    double attention = 2 + 6 + 2 * (double) m.keyWidth() / m.queryWidth() - 2;
    double ffnWidth = m.isMixture() ? (double) m.expertsPerToken() * m.expertFfn() : m.ffn();
    double feedForward = (m.gated() ? 6 : 4) * ffnWidth / m.hidden();
    double bytes = sbh * (whole + (attention + feedForward) / t);
    if (withScores && !job.flashAttention()) {
      double pairs =
          (double) cut.microBatch() * job.sequence() / cut.cp() * (double) job.sequence();
      bytes += 5 * pairs * m.heads() / t;
    }
    return bytes * width(job);
  }

  private static double elements(Job job, Parallel cut) {
    return (double) cut.microBatch() * job.sequence() / cut.cp() * job.model().hidden();
  }

  /// Bytes of an element relative to half precision, for which the counts are written.
  private static double width(Job job) {
    return job.precision() == Precision.FP32 || job.precision() == Precision.TF32 ? 2 : 1;
  }

  /// What the correction looks at: binary logarithms of tp, pp, dp, micro-batch, hidden width and
  /// the card's GiB.
  public static double[] features(Job job, Parallel cut, double cardBytes) {
    return new double[] {
      log2(cut.tp()),
      log2(cut.pp()),
      log2(cut.dp()),
      log2(cut.microBatch()),
      log2(job.model().hidden()),
      log2(cardBytes / (1L << 30))
    };
  }

  private static double log2(double value) {
    return Math.log(value) / Math.log(2);
  }
}
