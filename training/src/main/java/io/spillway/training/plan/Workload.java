package io.spillway.training.plan;

import java.util.List;

/// The model's passes as the schedule sees them: blocks of layers that run one after another, each
/// with its parameters and times.
///
/// @param blocks in forward order
/// @param microBatches passes before each optimizer step
public record Workload(List<Block> blocks, int microBatches) {
  /// One block.
  ///
  /// @param from first parameter of its range
  /// @param to one past its last parameter
  /// @param forwardSeconds of one micro-batch
  /// @param backwardSeconds of one micro-batch, recomputation among it
  public record Block(long from, long to, double forwardSeconds, double backwardSeconds) {}

  public Workload {
    blocks = List.copyOf(blocks);
    if (blocks.isEmpty() || microBatches < 1) {
      throw new IllegalArgumentException(
          blocks.size() + " blocks, " + microBatches + " micro-batches");
    }
  }

  /// Equal blocks over `parameters` parameters.
  public static Workload even(
      long parameters, int blocks, double forwardSeconds, double backwardSeconds, int batches) {
    List<Block> all = new java.util.ArrayList<>();
    for (int b = 0; b < blocks; b++) {
      all.add(
          new Block(
              parameters * b / blocks,
              parameters * (b + 1) / blocks,
              forwardSeconds / blocks,
              backwardSeconds / blocks));
    }
    return new Workload(all, batches);
  }

  /// All parameters.
  public long parameters() {
    return blocks.getLast().to();
  }

  /// Seconds of all passes of one step without any waiting.
  public double computeSeconds() {
    return microBatches
        * blocks.stream().mapToDouble(b -> b.forwardSeconds() + b.backwardSeconds()).sum();
  }
}
