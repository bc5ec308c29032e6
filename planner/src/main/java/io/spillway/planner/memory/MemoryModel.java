package io.spillway.planner.memory;

import io.spillway.planner.Job;
import io.spillway.planner.Keeps;
import io.spillway.planner.Parallel;
import io.spillway.planner.cost.StageTimes;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;

/// Bytes that a device needs: states, activations in flight, logits and buffers of its stage, times
/// a correction learned from measured peaks.
///
/// **Source:** activation bytes of one layer tensor by tensor, for GPT with dropout in half
/// precision the sum of Korthikanti et al., "Reducing Activation Recomputation in Large Transformer
/// Models", 2022; state bytes as Megatron-LM keeps them; [MemoryConstants] fitted to measurements.
public final class MemoryModel {
  /// Of one logit: itself and its gradient in the training precision, and in fp32 a copy, the
  /// loss's own copy and the softmax; in full precision there is no copy to convert into.
  private static final double LOGIT_BYTES = 16;

  private final MemoryConstants constants;
  private final MemoryCorrection correction;

  public MemoryModel(MemoryConstants constants, MemoryCorrection correction) {
    this.constants = constants;
    this.correction = correction;
  }

  /// What the published measurements on GH200 and RTX 3090 taught.
  public static MemoryModel builtIn() {
    return LearnedMemory.builtIn().model();
  }

  /// The fullest stage.
  public MemoryUse predict(Job job, Parallel cut, Accelerator card) {
    MemoryUse fullest = analytic(job, cut, 0, card);
    // activations in flight fall from stage to stage, so that only these can be the fullest
    for (int x : new int[] {Math.min(1, cut.pp() - 1), cut.pp() - 1}) {
      MemoryUse at = analytic(job, cut, x, card);
      if (at.total() > fullest.total()) {
        fullest = at;
      }
    }
    double factor = correction.factor(features(job, cut, card));
    return new MemoryUse(
        fullest.stage(),
        fullest.states(),
        fullest.activations(),
        fullest.logits(),
        fullest.buffers(),
        factor);
  }

  /// One stage without the learned correction.
  public MemoryUse analytic(Job job, Parallel cut, int stage, Accelerator card) {
    double states = StageTimes.stageParameters(job, cut, stage) * stateBytes(job, cut);
    double activations = activations(job, cut, stage) * constants.allocator();
    double logits = 0;
    if (stage == cut.pp() - 1) {
      double tokens = (double) cut.microBatch() * job.sequence() / cut.cp();
      logits = tokens * job.model().vocab() / cut.tp() * LOGIT_BYTES;
    }
    double buffers = constants.context(card) + constants.peer() * Math.min(cut.tp(), 8);
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
      case FULL -> elements(job, cut) * width(job) / (cut.sequenceParallel() ? cut.tp() : 1);
    };
  }

  /// Activations of one layer and micro-batch: what each operation keeps for its backward pass.
  private static double layerBytes(Job job, Parallel cut, boolean withScores) {
    ModelShape m = job.model();
    Keeps keeps = job.keeps();
    double w = width(job);
    double t = cut.tp();
    double h = m.hidden();
    // not cut over the tensor-parallel ranks but along the sequence: norms, inputs of the products
    double whole = 2 * w + (keeps.normInputs() ? 2 * w : 0) + (keeps.hiddenDropout() ? 2 : 0);
    // queries, keys and values, and the context that enters the output projection
    double attention = w * (2 * m.queryWidth() + 2 * (double) m.keyWidth()) / h;
    double ffnWidth = m.isMixture() ? (double) m.expertsPerToken() * m.expertFfn() : m.ffn();
    int wide = (m.gated() ? 2 : 1) + (keeps.activationInput() ? 1 : 0);
    double bytes =
        elements(job, cut)
            * (whole / (cut.sequenceParallel() ? t : 1)
                + (attention + wide * w * ffnWidth / h) / t);
    if (withScores && !job.flashAttention()) {
      double pairs =
          (double) cut.microBatch() * job.sequence() / cut.cp() * (double) job.sequence();
      bytes += (w + (keeps.scoreDropout() ? 1 + w : 0)) * pairs * m.heads() / t;
    }
    return bytes;
  }

  private static double elements(Job job, Parallel cut) {
    return (double) cut.microBatch() * job.sequence() / cut.cp() * job.model().hidden();
  }

  /// Bytes of an element.
  private static int width(Job job) {
    return job.precision() == Precision.FP32 || job.precision() == Precision.TF32 ? 4 : 2;
  }

  /// What the correction looks at: binary logarithms of tp, pp, dp, micro-batch, hidden width and
  /// the card's GiB.
  public static double[] features(Job job, Parallel cut, Accelerator card) {
    return new double[] {
      log2(cut.tp()),
      log2(cut.pp()),
      log2(cut.dp()),
      log2(cut.microBatch()),
      log2(job.model().hidden()),
      log2(card.memory().gib())
    };
  }

  private static double log2(double value) {
    return Math.log(value) / Math.log(2);
  }
}
