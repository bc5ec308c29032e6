package io.spillway.training.run;

import io.spillway.kernels.Precision;
import io.spillway.training.engine.Device;
import io.spillway.training.optimizer.OffloadedOptimizer;
import java.lang.foreign.MemorySegment;

/// Waits for weights before a block and hands over its gradients after it.
///
/// @param gradients the device's, of all parameters
/// @param first whether this is the first pass since the last update
/// @param last whether gradients are final after this pass
record StepListener(
    OffloadedOptimizer optimizer,
    FlatParameters parameters,
    Ranks ranks,
    Device device,
    MemorySegment gradients,
    Precision precision,
    boolean first,
    boolean last)
    implements BlockedDecoder.Listener {
  @Override
  public void beforeForward(int block) {
    if (first) {
      optimizer.awaitWeights(parameters.from(block), parameters.to(block));
    }
  }

  @Override
  public void afterBackward(int block) {
    if (last) {
      long from = parameters.from(block);
      long to = parameters.to(block);
      ranks.meanGradients(device, gradients, precision, parameters.size(), from, to);
      optimizer.gradientsReady(from, to);
    }
  }
}
