package io.spillway.training.run;

import io.spillway.tensor.TensorScope;
import io.spillway.training.engine.Device;
import io.spillway.training.plan.Workload;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/// Times the forward and backward pass of each block; the gradients are thrown away.
final class PassTimes {
  private static final int RUNS = 4;

  private final BlockedDecoder decoder;
  private final Device device;
  private final double[][] forward;
  private final double[][] backward;
  private double last;

  private PassTimes(BlockedDecoder decoder, Device device) {
    this.decoder = decoder;
    this.device = device;
    int blocks = decoder.parameters().blocks();
    forward = new double[RUNS][blocks];
    backward = new double[RUNS][blocks];
  }

  /// The workload of one step of `accumulation` batches like `batch`. Of some runs the fastest time
  /// of each block counts: the first ones also warm up.
  static Workload measure(
      BlockedDecoder decoder,
      Device device,
      Supplier<TokenSource.Batch> batch,
      double scale,
      int accumulation) {
    PassTimes times = new PassTimes(decoder, device);
    for (int run = 0; run < RUNS; run++) {
      times.run(batch, scale, run);
    }
    FlatParameters parameters = decoder.parameters();
    List<Workload.Block> all = new ArrayList<>();
    for (int b = 0; b < parameters.blocks(); b++) {
      all.add(
          new Workload.Block(
              parameters.from(b),
              parameters.to(b),
              fastest(times.forward, b),
              fastest(times.backward, b)));
    }
    return new Workload(all, accumulation);
  }

  private static double fastest(double[][] runs, int block) {
    return Arrays.stream(runs).mapToDouble(r -> r[block]).min().orElseThrow();
  }

  private void run(Supplier<TokenSource.Batch> source, double scale, int run) {
    int blocks = forward[run].length;
    BlockedDecoder.Listener timer =
        new BlockedDecoder.Listener() {
          @Override
          public void beforeForward(int block) {
            if (block > 0) {
              forward[run][block - 1] = lap();
            }
          }

          @Override
          public void afterBackward(int block) {
            backward[run][block] = lap();
          }
        };
    TensorScope.run(() -> {
      TokenSource.Batch batch = source.get();
      lap();
      decoder.train(
          batch.ids(), batch.targets(), scale, timer, _ -> forward[run][blocks - 1] = lap());
    });
  }

  /// Seconds since the call before, once the device has done what was begun.
  private double lap() {
    device.mark().await();
    double now = System.nanoTime() / 1e9;
    double seconds = now - last;
    last = now;
    return seconds;
  }
}
