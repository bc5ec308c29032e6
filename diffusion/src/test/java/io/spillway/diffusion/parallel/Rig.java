package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.sampling.FlowEuler;
import io.spillway.platform.Seeds;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;

/// A small random model and its images under a strategy, with ranks as threads.
final class Rig {
  static final int ROWS = 32;
  static final int COLUMNS = 16;

  private Rig() {}

  static Dit dit() {
    DitConfig config = new DitConfig(3, 8, 8, 4, 3, 3, 32, 5);
    return new Dit(config, Parameters.random(config.parameters(), new Seeds(11)));
  }

  static Unet unet() {
    UnetConfig config = new UnetConfig(3, List.of(16, 32, 32), List.of(0, 1, 1), 1, 4, 0, 0, 5, 4);
    return new Unet(config, Parameters.random(config.parameters(), new Seeds(3)));
  }

  static Job job(Strategy strategy, boolean split, int warmup, int steps) {
    return new Job(strategy, split, warmup, steps, new FlowEuler(1), 2.5, ROWS, COLUMNS);
  }

  /// Two images.
  static List<RankRenderer.Outcome> render(Denoiser model, Job job, int ranks) {
    return ThreadRanks.run(
        ranks,
        exchange -> {
          try (TensorScope scope = TensorScope.open()) {
            assert scope != null;
            return RankRenderer.render(
                model, job, noise(model.channels()), labels(job), exchange, _ -> {});
          }
        });
  }

  static Tensor noise(int channels) {
    RandomGenerator random = new Seeds(5).stream("noise");
    float[] values = new float[2 * channels * ROWS * COLUMNS];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensors.of(values, 2, channels, ROWS, COLUMNS);
  }

  static Condition labels(Job job) {
    return new Condition.Labels(
        job.guided() ? Tensors.of(new long[] {5, 5, 1, 3}, 4) : Tensors.of(new long[] {1, 3}, 2));
  }

  /// The largest difference, in units of the reference's deviation.
  static double distance(float[] a, float[] b) {
    double most = 0;
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
      squares += b[i] * b[i];
    }
    return most / Math.sqrt(squares / a.length);
  }
}
