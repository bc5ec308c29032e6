package io.spillway.planner;

import io.spillway.platform.SpillwayException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/// How a job is cut: the ways of parallelism and what each piece keeps.
///
/// @param tp tensor-parallel ways
/// @param pp pipeline stages
/// @param dp data-parallel replicas
/// @param cp context-parallel ways (pieces of a sequence)
/// @param ep expert-parallel ways, carved out of `dp`
/// @param virtualStages chunks of layers on each stage; 1 is plain 1F1B
/// @param microBatch sequences in one micro-batch
/// @param sequenceParallel norms and dropouts cut along the sequence over the tensor-parallel ranks
/// @param distributedOptimizer optimizer states cut over the data-parallel ranks
/// @param overlapGradReduce gradients reduced while the last backward pass still runs
/// @param chunkLayers layers of each chunk in the order that data passes them, `pp * virtualStages`
///   long: chunk `c` of stage `x` is entry `c * pp + x`
public record Parallel(
    int tp,
    int pp,
    int dp,
    int cp,
    int ep,
    int virtualStages,
    int microBatch,
    boolean sequenceParallel,
    Recompute recompute,
    boolean distributedOptimizer,
    boolean overlapGradReduce,
    List<Integer> chunkLayers) {

  public Parallel {
    positive("tp", tp);
    positive("pp", pp);
    positive("dp", dp);
    positive("cp", cp);
    positive("ep", ep);
    positive("virtual stages", virtualStages);
    positive("micro-batch", microBatch);
    chunkLayers = List.copyOf(chunkLayers);
    if (chunkLayers.size() != pp * virtualStages) {
      throw SpillwayException.badInput(
          "%d chunks of layers for %d stages with %d virtual stages each",
          chunkLayers.size(), pp, virtualStages);
    }
    chunkLayers.forEach(l -> positive("layers of a stage", l));
    if (virtualStages > 1 && pp == 1) {
      throw SpillwayException.badInput("virtual stages need more than one pipeline stage");
    }
    if (dp % ep != 0) {
      throw SpillwayException.badInput("ep %d must divide dp %d", ep, dp);
    }
  }

  /// A plain cut: even layers as far as they go, full options off.
  public static Parallel of(int tp, int pp, int dp, int microBatch, int layers) {
    return new Parallel(
        tp, pp, dp, 1, 1, 1, microBatch, false, Recompute.NONE, false, false, even(layers, pp));
  }

  /// `layers` over `chunks` as evenly as they go; earlier chunks in the middle take the rest.
  public static List<Integer> even(int layers, int chunks) {
    if (layers < chunks) {
      throw SpillwayException.badInput(
          "%d layers cannot be cut into %d stages; lower pp or the virtual stages", layers, chunks);
    }
    Integer[] cut = new Integer[chunks];
    java.util.Arrays.fill(cut, layers / chunks);
    // the first and the last stage carry the embedding and the logits, so the middle takes the rest
    for (int i = 0; i < layers % chunks; i++) {
      cut[(1 + i) % chunks]++;
    }
    return List.of(cut);
  }

  public Parallel withRecompute(Recompute other) {
    return new Parallel(
        tp,
        pp,
        dp,
        cp,
        ep,
        virtualStages,
        microBatch,
        sequenceParallel,
        other,
        distributedOptimizer,
        overlapGradReduce,
        chunkLayers);
  }

  public Parallel withOverlap(boolean overlap) {
    return new Parallel(
        tp,
        pp,
        dp,
        cp,
        ep,
        virtualStages,
        microBatch,
        sequenceParallel,
        recompute,
        distributedOptimizer,
        overlap,
        chunkLayers);
  }

  public Parallel withLayers(List<Integer> layers) {
    return new Parallel(
        tp,
        pp,
        dp,
        cp,
        ep,
        virtualStages,
        microBatch,
        sequenceParallel,
        recompute,
        distributedOptimizer,
        overlapGradReduce,
        layers);
  }

  /// Ranks that the cut needs.
  public int world() {
    return tp * cp * dp * pp;
  }

  /// Micro-batches of one replica in one iteration.
  ///
  /// **Errors:** a batch that does not divide.
  public int microBatches(Job job) {
    int each = dp * microBatch;
    if (job.globalBatch() % each != 0) {
      throw SpillwayException.badInput(
          "a global batch of %d cannot be divided by dp %d x micro-batch %d; choose a multiple of"
              + " %d",
          job.globalBatch(), dp, microBatch, each);
    }
    return job.globalBatch() / each;
  }

  /// Layers on one stage, all its chunks together.
  public int stageLayers(int stage) {
    int sum = 0;
    for (int c = 0; c < virtualStages; c++) {
      sum += chunkLayers.get(c * pp + stage);
    }
    return sum;
  }

  /// Checks that the cut suits the job and the number of accelerators.
  ///
  /// **Errors:** one line that names the value, the bound and the fix.
  public void check(Job job, int gpus) {
    var model = job.model();
    if (world() != gpus) {
      throw SpillwayException.badInput(
          "tp %d x cp %d x dp %d x pp %d is %d ranks, the cluster has %d accelerators",
          tp, cp, dp, pp, world(), gpus);
    }
    divides("tp", tp, "attention heads", model.heads());
    if (tp > model.kvHeads() && tp % model.kvHeads() != 0) {
      throw SpillwayException.badInput(
          "tp %d and %d key-value heads do not divide each other", tp, model.kvHeads());
    }
    if (tp < model.kvHeads()) {
      divides("tp", tp, "key-value heads", model.kvHeads());
    }
    if (cp > 1) {
      divides("2 x cp", 2 * cp, "sequence", job.sequence());
    }
    if (ep > 1) {
      if (!model.isMixture()) {
        throw SpillwayException.badInput(
            "ep %d needs a mixture of experts, %s has none; leave --ep at 1", ep, model.name());
      }
      divides("ep", ep, "experts", model.experts());
    }
    int sum = chunkLayers.stream().mapToInt(i -> i).sum();
    if (sum != model.layers()) {
      throw SpillwayException.badInput(
          "the stages hold %d layers together, %s has %d", sum, model.name(), model.layers());
    }
    int n = microBatches(job);
    if (virtualStages > 1 && n % pp != 0) {
      throw SpillwayException.badInput(
          "virtual stages need micro-batches (%d) that pp (%d) divides", n, pp);
    }
  }

  /// Short form such as `tp8 pp4 dp4 mb2 sp full`.
  public String label() {
    StringBuilder out = new StringBuilder();
    out.append(String.format(Locale.ROOT, "tp%d pp%d dp%d", tp, pp, dp));
    if (cp > 1) {
      out.append(" cp").append(cp);
    }
    if (ep > 1) {
      out.append(" ep").append(ep);
    }
    if (virtualStages > 1) {
      out.append(" v").append(virtualStages);
    }
    out.append(" mb").append(microBatch);
    if (sequenceParallel) {
      out.append(" sp");
    }
    if (recompute != Recompute.NONE) {
      out.append(" re-").append(recompute.name().toLowerCase(Locale.ROOT));
    }
    if (distributedOptimizer) {
      out.append(" zero1");
    }
    if (Collections.max(chunkLayers) > Collections.min(chunkLayers)) {
      out.append(" layers ").append(shortLayers());
    }
    return out.toString();
  }

  private String shortLayers() {
    if (chunkLayers.size() <= 4) {
      return chunkLayers.toString().replace(" ", "");
    }
    return chunkLayers.getFirst() + "," + chunkLayers.get(1) + ".." + chunkLayers.getLast();
  }

  private static void positive(String what, int value) {
    if (value < 1) {
      throw SpillwayException.badInput("%s is %d, at least 1 is needed", what, value);
    }
  }

  private static void divides(String what, int divisor, String of, int value) {
    if (value % divisor != 0) {
      throw SpillwayException.badInput("%s %d does not divide %s %d", what, divisor, of, value);
    }
  }
}
