package io.spillway.planner.measure;

import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// One way to train the small GPT: ways of parallelism, micro-batch, and which process takes which
/// rank. Ranks follow Megatron's order `rank = tp + TP * (dp + DP * pp)`.
///
/// @param process the process (device) of each rank
/// @param stageLayers blocks of each stage; empty to share them evenly
public record Cut(
    int tp,
    int pp,
    int dp,
    int microBatch,
    int globalBatch,
    List<Integer> process,
    List<Integer> stageLayers) {
  public Cut {
    process = List.copyOf(process);
    stageLayers = List.copyOf(stageLayers);
    if (!stageLayers.isEmpty() && stageLayers.size() != pp) {
      throw SpillwayException.badInput("blocks of %d stages for pp %d", stageLayers.size(), pp);
    }
    if (tp * pp * dp != process.size()) {
      throw SpillwayException.badInput(
          "tp %d x pp %d x dp %d is not %d processes", tp, pp, dp, process.size());
    }
    if (globalBatch % (dp * microBatch) != 0) {
      throw SpillwayException.badInput(
          "a global batch of %d cannot be divided by dp %d x micro-batch %d",
          globalBatch, dp, microBatch);
    }
  }

  /// Rank r on process r.
  public static Cut of(int tp, int pp, int dp, int microBatch, int globalBatch) {
    return new Cut(
        tp,
        pp,
        dp,
        microBatch,
        globalBatch,
        java.util.stream.IntStream.range(0, tp * pp * dp).boxed().toList(),
        List.of());
  }

  public Cut on(List<Integer> processes) {
    return new Cut(tp, pp, dp, microBatch, globalBatch, processes, stageLayers);
  }

  public Cut withLayers(List<Integer> blocks) {
    boolean even = blocks.stream().distinct().count() == 1;
    return new Cut(tp, pp, dp, microBatch, globalBatch, process, even ? List.of() : blocks);
  }

  /// Micro-batches of one replica in one iteration.
  public int microBatches() {
    return globalBatch / dp / microBatch;
  }

  /// The process at a place of the grid.
  public int process(int t, int d, int p) {
    return process.get(t + tp * (d + dp * p));
  }

  /// The processes that share each layer's weights.
  public List<List<Integer>> tensorGroups() {
    List<List<Integer>> groups = new ArrayList<>();
    for (int p = 0; p < pp; p++) {
      for (int d = 0; d < dp; d++) {
        List<Integer> group = new ArrayList<>();
        for (int t = 0; t < tp; t++) {
          group.add(process(t, d, p));
        }
        groups.add(group);
      }
    }
    return groups;
  }

  /// The processes that hold the same weights.
  public List<List<Integer>> dataGroups() {
    List<List<Integer>> groups = new ArrayList<>();
    for (int p = 0; p < pp; p++) {
      for (int t = 0; t < tp; t++) {
        List<Integer> group = new ArrayList<>();
        for (int d = 0; d < dp; d++) {
          group.add(process(t, d, p));
        }
        groups.add(group);
      }
    }
    return groups;
  }

  /// Blocks of stage `p`; where they are shared evenly and do not divide, the first take one more.
  public int layersOf(int p, int layers) {
    return stageLayers.isEmpty() ? layers / pp + (p < layers % pp ? 1 : 0) : stageLayers.get(p);
  }

  /// The first block of stage `p`.
  public int firstLayer(int p, int layers) {
    int first = 0;
    for (int i = 0; i < p; i++) {
      first += layersOf(i, layers);
    }
    return first;
  }

  /// Bytes of the weights on one process of stage `p`.
  public long weightBytes(GptShape shape, int p) {
    long bytes = layersOf(p, shape.layers()) * shape.layerBytes(tp);
    bytes += p == 0 ? shape.embeddingBytes() : 0;
    bytes += p == pp - 1 ? shape.headBytes() : 0;
    return bytes;
  }

  public String label() {
    StringBuilder text =
        new StringBuilder(
            String.format(Locale.ROOT, "tp%d pp%d dp%d mb%d", tp, pp, dp, microBatch));
    if (!stageLayers.isEmpty()) {
      text.append(" layers ").append(stageLayers.toString().replace(" ", ""));
    }
    for (int i = 0; i < process.size(); i++) {
      if (process.get(i) != i) {
        return text.append(" on ").append(process.toString().replace(" ", "")).toString();
      }
    }
    return text.toString();
  }
}
