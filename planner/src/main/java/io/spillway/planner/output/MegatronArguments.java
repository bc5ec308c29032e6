package io.spillway.planner.output;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/// A plan as arguments of Megatron-LM's training scripts.
public final class MegatronArguments {
  private MegatronArguments() {}

  /// Flags and values in the order in which they are written.
  public static List<String> of(Job job, Parallel cut) {
    List<String> a = new ArrayList<>();
    ModelShape m = job.model();
    add(a, "--num-layers", m.layers());
    add(a, "--hidden-size", m.hidden());
    add(a, "--ffn-hidden-size", m.isMixture() ? m.expertFfn() : m.ffn());
    add(a, "--num-attention-heads", m.heads());
    if (m.kvHeads() < m.heads()) {
      a.add("--group-query-attention");
      add(a, "--num-query-groups", m.kvHeads());
    }
    if (m.isMixture()) {
      add(a, "--num-experts", m.experts());
      add(a, "--moe-router-topk", m.expertsPerToken());
    }
    add(a, "--seq-length", job.sequence());
    add(a, "--max-position-embeddings", m.maxSequence());
    add(a, "--micro-batch-size", cut.microBatch());
    add(a, "--global-batch-size", job.globalBatch());
    add(a, "--tensor-model-parallel-size", cut.tp());
    add(a, "--pipeline-model-parallel-size", cut.pp());
    if (cut.virtualStages() > 1) {
      add(a, "--num-layers-per-virtual-pipeline-stage", cut.chunkLayers().getFirst());
    }
    if (cut.cp() > 1) {
      add(a, "--context-parallel-size", cut.cp());
    }
    if (cut.ep() > 1) {
      add(a, "--expert-model-parallel-size", cut.ep());
    }
    if (cut.sequenceParallel()) {
      a.add("--sequence-parallel");
    }
    recompute(a, cut);
    if (cut.distributedOptimizer()) {
      a.add("--use-distributed-optimizer");
    }
    if (cut.overlapGradReduce()) {
      a.add("--overlap-grad-reduce");
    }
    if (Collections.max(cut.chunkLayers()) > Collections.min(cut.chunkLayers())) {
      add(a, "--pipeline-model-parallel-layout", layout(cut));
    }
    if (job.flashAttention()) {
      a.add("--use-flash-attn");
    }
    if (job.precision() == Precision.BF16 || job.precision() == Precision.FP8) {
      a.add("--bf16");
    } else if (job.precision() == Precision.FP16) {
      a.add("--fp16");
    }
    return List.copyOf(a);
  }

  /// Stages divided by `|`: `E` the embedding, `t*n` n layers, `L` the loss.
  static String layout(Parallel cut) {
    StringBuilder out = new StringBuilder("E");
    for (int i = 0; i < cut.chunkLayers().size(); i++) {
      out.append(i == 0 ? "" : "|").append("t*").append(cut.chunkLayers().get(i));
    }
    return out.append('L').toString();
  }

  private static void recompute(List<String> a, Parallel cut) {
    if (cut.recompute() != Recompute.NONE) {
      add(a, "--recompute-granularity", cut.recompute().name().toLowerCase(Locale.ROOT));
    }
    if (cut.recompute() == Recompute.FULL) {
      add(a, "--recompute-method", "uniform");
      add(a, "--recompute-num-layers", 1);
    }
  }

  private static void add(List<String> a, String flag, Object value) {
    a.add(flag);
    a.add(String.valueOf(value));
  }
}
