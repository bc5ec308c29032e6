package io.spillway.diffusion;

import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.parallel.Exchange;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.parallel.ThreadRanks;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Pixels;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;

/// Makes images of class-conditional models by any strategy.
///
/// @param model what draws
/// @param size rows and columns of pixels
/// @param seeds the seed of each image's noise
/// @param labels the class of each image
public record Images(ImageModel model, int size, long[] seeds, int[] labels) {
  public Images {
    if (seeds.length != labels.length || seeds.length == 0 || seeds.length > 4096) {
      throw SpillwayException.badInput(
          "%d seeds and %d classes: as many of both, 1 to 4096", seeds.length, labels.length);
    }
    for (int label : labels) {
      if (label < 0 || label > model.classes()) {
        throw SpillwayException.badInput(
            "class %d: the model knows 0 to %d, and %d for none",
            label, model.classes() - 1, model.classes());
      }
    }
    if (size < 1 || size % model.pixelFold() != 0) {
      throw SpillwayException.badInput(
          "size %d is no multiple of %d pixels", size, model.pixelFold());
    }
    if (!model.onPixels()) {
      throw SpillwayException.badInput(
          "%s works on latents; images need a VAE folder, which this command reads for no such"
              + " model yet",
          model.name());
    }
  }

  /// A batch of pictures, [count, 3, size, size] in -1..1, and what each rank has to tell.
  public record Made(float[] pixels, List<RankRenderer.Outcome> ranks) {
    /// Seconds of the slowest rank.
    public double seconds() {
      return ranks.stream().mapToDouble(RankRenderer.Outcome::seconds).max().orElse(0);
    }
  }

  /// Rows that the denoiser sees.
  public int rows() {
    return size / model.pixelFold();
  }

  /// Makes them with ranks that are threads of this process.
  public Made make(Job job, int ranks, Progress.Task task) {
    job.check(model.denoiser(), ranks);
    List<RankRenderer.Outcome> outcomes =
        ThreadRanks.run(
            ranks,
            exchange ->
                onRank(
                    job,
                    exchange,
                    _ -> {
                      if (exchange.rank() == 0) {
                        task.advance(1);
                      }
                    }));
    return new Made(pixels(outcomes.getFirst()), outcomes);
  }

  /// This rank's part; every rank of the exchange must call it.
  public RankRenderer.Outcome onRank(Job job, Exchange exchange, IntConsumer afterStep) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Tensor like = model.denoiser().parameters().tensors().values().iterator().next();
      Tensor noise = noise().to(like.device(), like.scalar_type());
      return RankRenderer.render(
          model.denoiser(), job, noise, condition(job, like), exchange, afterStep);
    }
  }

  private Condition condition(Job job, Tensor like) {
    int count = labels.length;
    int halves = job.guided() ? 2 : 1;
    long[] all = new long[halves * count];
    java.util.Arrays.fill(all, model.classes());
    for (int i = 0; i < count; i++) {
      all[(halves - 1) * count + i] = labels[i];
    }
    return new Condition.Labels(
        Tensors.of(all, all.length)
            .to(like.device(), org.bytedeco.pytorch.global.torch.ScalarType.Long));
  }

  private Tensor noise() {
    int channels = model.denoiser().channels();
    int each = channels * rows() * rows();
    float[] values = new float[seeds.length * each];
    for (int i = 0; i < seeds.length; i++) {
      RandomGenerator random = new Seeds(seeds[i]).stream("image noise");
      for (int j = 0; j < each; j++) {
        values[i * each + j] = (float) random.nextGaussian();
      }
    }
    return Tensors.of(values, seeds.length, channels, rows(), rows());
  }

  /// The pictures that a rank's outcome holds, [count, 3, size, size].
  public float[] pixels(RankRenderer.Outcome outcome) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      return Tensors.floats(
          Pixels.decode(
              Tensors.of(
                  outcome.image(), seeds.length, model.denoiser().channels(), rows(), rows())));
    }
  }

  /// The shipped classifier of our pictures.
  public static Classifier classifier(ComputeDevice device) {
    Path folder = ImageModel.temporary();
    try {
      Path file = folder.resolve("classifier.safetensors");
      ImageModel.copyResource("classifier.safetensors", file);
      return new Classifier(Parameters.load(file, Classifier.shapes(), DType.F32, device));
    } finally {
      ImageModel.delete(folder);
    }
  }
}
