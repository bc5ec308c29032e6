package io.spillway.diffusion;

import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Picture;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// Makes the same images by many strategies and measures each against one device.
public final class Comparison {
  private static final int BATCH = 16;
  private static final int SIZE = 64; // what the classifier knows
  private static final int DRAWN = 2048;

  private Comparison() {}

  /// What is compared.
  ///
  /// @param model what draws
  /// @param classifier judges; its features give the Fréchet distance
  /// @param images how many, classes in turn, noise seeded from `seed` on
  /// @param batch images that are made at once
  /// @param drawn the classifier's features of fresh pictures, classes in turn
  public record Subject(
      ImageModel model,
      Classifier classifier,
      int images,
      long seed,
      int batch,
      List<double[]> drawn) {
    public Subject(ImageModel model, Classifier classifier, int images, long seed) {
      this(model, classifier, images, seed, BATCH);
    }

    public Subject(ImageModel model, Classifier classifier, int images, long seed, int batch) {
      this(model, classifier, images, seed, batch, drawn(classifier, seed));
    }

    /// The same with another number of images.
    public Subject of(int count) {
      return new Subject(model, classifier, count, seed, batch, drawn);
    }

    private static List<double[]> drawn(Classifier classifier, long seed) {
      RandomGenerator random = new Seeds(seed).stream("drawn pictures");
      int each = 3 * SIZE * SIZE;
      List<double[]> features = new ArrayList<>();
      float[] some = new float[256 * each];
      for (int begin = 0; begin < DRAWN; begin += 256) {
        for (int i = 0; i < 256; i++) {
          Picture.draw(Shape.values()[label(begin + i)], SIZE, random, some, i * each);
        }
        features.addAll(List.of(classifier.judge(some, 256, SIZE).features()));
      }
      return features;
    }
  }

  /// One strategy on all images.
  ///
  /// @param stepBytes the most that any rank received in a displaced step, for one image
  /// @param totalBytes the most that any rank received over all steps, for one image
  /// @param bufferBytes the most exchange buffers that any rank kept, for one batch
  /// @param secondsPerImage wall-clock time with the ranks as threads of this machine
  /// @param psnr dB to one device
  /// @param ssim to one device
  /// @param seam jump at strip edges over that elsewhere
  /// @param accuracy share that the classifier names as asked
  /// @param frechet distance to fresh pictures on the classifier's features
  public record Row(
      String strategy,
      int ranks,
      int steps,
      int warmup,
      long stepBytes,
      long totalBytes,
      long bufferBytes,
      double secondsPerImage,
      Quality.Interval psnr,
      Quality.Interval ssim,
      Quality.Interval seam,
      double accuracy,
      double frechet) {
    /// Half-width of the accuracy's 95 % interval.
    public double accuracyHalf(int images) {
      return 1.96 * Math.sqrt(accuracy * (1 - accuracy) / images);
    }
  }

  /// A row and its pictures, [images, 3, size, size].
  public record Result(Row row, float[] pixels) {}

  /// Runs one job on all images.
  ///
  /// @param reference the pictures of one device, or none for that one itself
  public static Result run(
      Subject subject, Job job, int ranks, float[] reference, Progress.Task task) {
    ImageModel model = subject.model();
    int size = job.rows() * model.pixelFold();
    int each = 3 * size * size;
    float[] pixels = new float[subject.images() * each];
    long step = 0;
    long total = 0;
    long buffers = 0;
    double seconds = 0;
    for (int begin = 0; begin < subject.images(); begin += subject.batch()) {
      int count = Math.min(subject.batch(), subject.images() - begin);
      long[] seeds = new long[count];
      int[] labels = new int[count];
      for (int i = 0; i < count; i++) {
        seeds[i] = subject.seed() + begin + i;
        labels[i] = label(begin + i);
      }
      Images.Made made = new Images(model, size, seeds, labels).make(job, ranks, task);
      System.arraycopy(made.pixels(), 0, pixels, begin * each, count * each);
      seconds += made.seconds();
      for (RankRenderer.Outcome o : made.ranks()) {
        step = Math.max(step, o.displacedReceived() / count);
        total = Math.max(total, o.received() / count);
        buffers = Math.max(buffers, o.bufferBytes());
      }
    }
    float[] to = reference.length == 0 ? pixels : reference;
    double[] psnr = new double[subject.images()];
    double[] ssim = new double[subject.images()];
    double[] seam = new double[subject.images()];
    int strips = job.branchRanks(ranks);
    IntStream.range(0, subject.images())
        .parallel()
        .forEach(i -> {
          psnr[i] = Quality.psnr(pixels, to, i * each, each);
          ssim[i] = Quality.ssim(pixels, to, i * each, size);
          seam[i] = Quality.seamRatio(pixels, i * each, size, strips);
        });
    Judged judged = judge(subject, pixels, size);
    Row row =
        new Row(
            job.strategy().label(),
            ranks,
            job.steps(),
            job.warmup(),
            step,
            total,
            buffers,
            seconds / subject.images(),
            Quality.Interval.of(psnr),
            Quality.Interval.of(ssim),
            Quality.Interval.of(seam),
            judged.accuracy,
            judged.frechet);
    return new Result(row, pixels);
  }

  static int label(int image) {
    return image % Shape.values().length;
  }

  private record Judged(double accuracy, double frechet) {}

  private static Judged judge(Subject subject, float[] pixels, int size) {
    if (size != SIZE) {
      return new Judged(Double.NaN, Double.NaN);
    }
    int each = 3 * size * size;
    int right = 0;
    List<double[]> made = new ArrayList<>();
    for (int begin = 0; begin < subject.images(); begin += 256) {
      int count = Math.min(256, subject.images() - begin);
      float[] some = Arrays.copyOfRange(pixels, begin * each, (begin + count) * each);
      Classifier.Verdict verdict = subject.classifier().judge(some, count, size);
      for (int i = 0; i < count; i++) {
        right += verdict.labels()[i] == label(begin + i) ? 1 : 0;
      }
      made.addAll(List.of(verdict.features()));
    }
    double frechet = subject.images() < 2 ? Double.NaN : Quality.frechet(made, subject.drawn());
    return new Judged((double) right / subject.images(), frechet);
  }
}
