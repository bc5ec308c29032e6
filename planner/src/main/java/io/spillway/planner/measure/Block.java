package io.spillway.planner.measure;

import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/// One block's forward and backward pass over given input, as compute for what is measured amid it.
final class Block implements AutoCloseable {
  private final GptStage stage;
  private final TensorHolder held = new TensorHolder();
  private final Tensor input;
  private final Tensor gradient;

  /// @param ways tensor-parallel
  /// @param sum what adds partial sums
  Block(GptShape shape, int ways, int microBatch, Consumer<Tensor> sum) {
    stage = new GptStage(shape, Devices.cpu(), 0, 1, false, false, ways, 0, 1, sum);
    try (TensorScope scope = TensorScope.open()) {
      input = held.hold(scope.adopt(residual(shape, microBatch)));
      gradient = held.hold(scope.adopt(residual(shape, microBatch)));
    }
  }

  private static Tensor residual(GptShape shape, int microBatch) {
    return GptLayer.normal(shape, Devices.cpu(), 1, microBatch, shape.sequence(), shape.hidden());
  }

  void run() {
    TensorScope.run(() -> {
      stage.forward(0, input, input, 1);
      stage.backward(0, gradient);
    });
  }

  @Override
  public void close() {
    stage.close();
    held.close();
  }
}
