package io.spillway.diffusion;

import io.spillway.diffusion.latent.VaeDecoder;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.PixArt;
import io.spillway.diffusion.parallel.Exchange;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.parallel.ThreadRanks;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Pixels;
import io.spillway.diffusion.text.PromptStates;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Makes images by any strategy.
///
/// @param model what draws
/// @param size rows and columns of pixels
/// @param seeds the seed of each image's noise
/// @param wish what they show
public record Images(ImageModel model, int size, long[] seeds, Wish wish) {
  public Images {
    if (seeds.length != wish.count() || seeds.length == 0 || seeds.length > 4096) {
      throw SpillwayException.badInput(
          "%d seeds for %d images: as many of both, 1 to 4096", seeds.length, wish.count());
    }
    wish.check(model);
    if (size < 1 || size % model.pixelFold() != 0) {
      throw SpillwayException.badInput(
          "size %d is no multiple of %d pixels", size, model.pixelFold());
    }
  }

  /// Images of classes.
  ///
  /// @param labels the class of each
  public Images(ImageModel model, int size, long[] seeds, int[] labels) {
    this(model, size, seeds, new Wish.Labels(labels));
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
    return make(job, ranks, (int _) -> task.advance(1));
  }

  /// Makes them with ranks that are threads of this process.
  ///
  /// @param afterStep told after each step on the thread of rank 0; what it throws ends the work
  public Made make(Job job, int ranks, IntConsumer afterStep) {
    job.check(model.denoiser(), ranks);
    float[] noise = noise();
    List<RankRenderer.Outcome> outcomes =
        ThreadRanks.run(
            ranks,
            exchange -> onRank(job, noise, exchange, exchange.rank() == 0 ? afterStep : _ -> {}));
    return new Made(pixels(outcomes.getFirst()), outcomes);
  }

  /// This rank's part; every rank of the exchange must call it.
  public RankRenderer.Outcome onRank(Job job, Exchange exchange, IntConsumer afterStep) {
    return onRank(job, noise(), exchange, afterStep);
  }

  private RankRenderer.Outcome onRank(
      Job job, float[] values, Exchange exchange, IntConsumer afterStep) {
    if (job.rows() != rows() || job.columns() != rows()) {
      throw SpillwayException.badInput(
          "a job of %d x %d rows for images of %d: they must agree",
          job.rows(), job.columns(), rows());
    }
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Tensor like = model.denoiser().parameters().tensors().values().iterator().next();
      Tensor noise =
          Tensors.of(values, seeds.length, model.denoiser().channels(), rows(), rows())
              .to(like.device(), torch.ScalarType.Float);
      return RankRenderer.render(
          model.denoiser(), job, noise, condition(job, like), exchange, afterStep);
    }
  }

  private Condition condition(Job job, Tensor like) {
    try (NoGrad off = NoGrad.begin()) {
      assert off != null;
      return switch (wish) {
        case Wish.Labels(int[] labels) -> classes(job, labels, like);
        case Wish.Prompts(List<String> texts, Optional<String> negative) ->
            java.util.Objects.requireNonNull(model.text(), "checked before")
                .encode(texts, negative, job.guided(), size);
        case Wish.Encoded(Path file, int count) ->
            PromptStates.read(
                file,
                ((PixArt) model.denoiser()).config().textWidth(),
                count,
                job.guided(),
                like,
                new int[] {size, size});
      };
    }
  }

  private Condition classes(Job job, int[] labels, Tensor like) {
    int count = labels.length;
    int halves = job.guided() ? 2 : 1;
    long[] all = new long[halves * count];
    java.util.Arrays.fill(all, model.classes());
    for (int i = 0; i < count; i++) {
      all[(halves - 1) * count + i] = labels[i];
    }
    return new Condition.Labels(
        Tensors.of(all, all.length).to(like.device(), torch.ScalarType.Long));
  }

  /// **Shapes:** [images, channels, rows, rows].
  private float[] noise() {
    int each = model.denoiser().channels() * rows() * rows();
    float[] values = new float[seeds.length * each];
    IntStream.range(0, seeds.length)
        .parallel()
        .forEach(i -> {
          RandomGenerator random = new Seeds(seeds[i]).stream("image noise");
          for (int j = 0; j < each; j++) {
            values[i * each + j] = (float) random.nextGaussian();
          }
        });
    return values;
  }

  /// The pictures that a rank's outcome holds, [count, 3, size, size].
  public float[] pixels(RankRenderer.Outcome outcome) {
    return pixels(outcome.image());
  }

  /// The pictures of what the denoiser sees, [count, 3, size, size].
  public float[] pixels(float[] drawn) {
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert off != null && scope != null;
      Tensor image = Tensors.of(drawn, seeds.length, model.denoiser().channels(), rows(), rows());
      VaeDecoder vae = model.vae();
      return Tensors.floats(vae == null ? Pixels.decode(image) : vae.decode(image));
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
