package io.spillway.diffusion.training;

import io.spillway.diffusion.model.Alone;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.shapes.Pixels;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Trains a denoiser on pictures of our own by rectified flow: the network learns the velocity
/// noise - picture at x = (1 - s) picture + s noise, with s drawn logit-normally.
///
/// Every choice of step n comes from the streams numbered n, so a run that was interrupted goes on
/// from its last checkpoint as if nothing had happened. An interrupt (SIGINT, SIGTERM) first writes
/// a checkpoint.
///
/// **Source:** Esser et al., "Scaling Rectified Flow Transformers", sections 2 and 3.1.
public final class Trainer implements AutoCloseable {
  private static final long CHECKPOINT_NS = 90_000_000_000L;

  /// Steps between two looks at the loss, each of which waits for the device.
  private static final int LOOK = 8;

  /// What came out of a run.
  ///
  /// @param steps done in all runs together
  /// @param pictures shown
  /// @param seconds of training in all runs together
  /// @param loss mean squared error of the velocity, smoothed
  public record Outcome(
      Recipe recipe, String device, long steps, long pictures, double seconds, double loss) {}

  private final Denoiser model;
  private final Recipe recipe;
  private final Path folder;
  private final ComputeDevice device;
  private final int threads;
  private final Seeds seeds;
  private final FlatAdamW optimizer;
  private final TensorHolder holder = new TensorHolder();
  private final Tensor losses; // sum since the last look, on the device
  private double smoothed = Double.NaN;
  private double secondsBefore;
  private int unseen; // steps since the last look
  private volatile boolean stop;

  /// @param initial the network with its first weights, which are copied
  /// @param threads that draw pictures
  public Trainer(Denoiser initial, Recipe recipe, Path folder, ComputeDevice device, int threads) {
    if (threads < 1 || threads > 256) {
      throw SpillwayException.badInput("%d drawing threads: between 1 and 256", threads);
    }
    this.recipe = recipe;
    this.folder = folder;
    this.device = device;
    this.threads = threads;
    this.seeds = new Seeds(recipe.seed());
    this.optimizer = new FlatAdamW(initial.parameters(), device, recipe.type());
    this.model = initial.with(optimizer.parameters());
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      this.losses = holder.hold(Tensors.empty(DType.F32, device, 1).zero_());
    }
  }

  /// Trains to the end of the recipe, from the last checkpoint in the folder if there is one.
  public Outcome run(Progress progress) {
    resume();
    CountDownLatch left = new CountDownLatch(1);
    Thread hook =
        Thread.ofPlatform()
            .unstarted(() -> {
              stop = true;
              try {
                left.await(60, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    Runtime.getRuntime().addShutdownHook(hook);
    try (Progress.Task task =
            progress.start("train", recipe.steps() == 0 ? -1 : recipe.steps() - optimizer.step());
        PictureFeed feed =
            new PictureFeed(recipe, optimizer.step(), 3 * LOOK, threads, device.isCuda())) {
      double seconds = loop(task, feed);
      checkpoint(seconds);
      if (stop) {
        throw SpillwayException.notAvailable(
            "stopped after step %d; the same command goes on from there", optimizer.step());
      }
      return new Outcome(
          recipe,
          device.toString(),
          optimizer.step(),
          optimizer.step() * recipe.batch(),
          seconds,
          smoothed);
    } finally {
      left.countDown();
      if (!stop) {
        Runtime.getRuntime().removeShutdownHook(hook);
      }
    }
  }

  private double loop(Progress.Task task, PictureFeed feed) {
    long began = System.nanoTime();
    long saved = began;
    double seconds = secondsBefore;
    while (!stop && recipe.progress(optimizer.step(), seconds) < 1) {
      long n = optimizer.step();
      step(feed.take(n), recipe.rateAt(n, recipe.progress(n, seconds)));
      task.advance(1);
      unseen++;
      if (unseen == LOOK || recipe.progress(n + 1, seconds) >= 1) {
        look(task, n);
        for (; unseen > 0; unseen--) {
          feed.done(n + 1 - unseen);
        }
      }
      long now = System.nanoTime();
      seconds = secondsBefore + (now - began) / 1e9;
      if (now - saved > CHECKPOINT_NS) {
        checkpoint(seconds);
        saved = now;
      }
    }
    return seconds;
  }

  /// Waits for the device and reads the loss; until then the host runs ahead.
  private void look(Progress.Task task, long step) {
    double mean = Tensors.floats(losses)[0] / unseen;
    TensorScope.run(losses::zero_);
    if (!Double.isFinite(mean)) {
      throw SpillwayException.badInput(
          "training diverged at step %d with learning rate %s; take a smaller one",
          step + 1, recipe.rate());
    }
    smoothed = Double.isNaN(smoothed) ? mean : 0.9 * smoothed + 0.1 * mean;
    task.note(String.format(Locale.ROOT, "loss %.4f", smoothed));
  }

  /// One update; nothing here waits for the device.
  private void step(PictureFeed.Batch pictures, double rate) {
    long n = optimizer.step();
    int batch = recipe.batch();
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Torch.seed(seeds.stream("noise", n).nextLong());
      Tensor images = Pixels.encode(toDevice(pictures.images()), model.channels());
      Tensor labels = toDevice(pictures.labels());
      Tensor noise = torch.randn_like(images);
      Tensor sigma = Tensors.empty(DType.F32, device, batch).normal_().sigmoid();
      Tensor x = images.lerp(noise, sigma.view(batch, 1, 1, 1));
      Tensor times = sigma.mul(new Scalar(1000.0));
      Tensor velocity =
          model.predict(
              Tensors.to(x, recipe.type()), times, new Condition.Labels(labels), Alone.ALONE);
      Tensor loss = torch.mse_loss(Tensors.to(velocity, DType.F32), noise.sub(images));
      loss.backward();
      losses.add_(loss.detach());
      optimizer.update(rate, Recipe.WEIGHT_DECAY, Recipe.CLIP);
    }
  }

  private Tensor toDevice(Tensor host) {
    return host.to(device.torch(), host.scalar_type(), true, false, new MemoryFormatOptional());
  }

  /// The running average of the weights, under the names of the model, in the innermost scope.
  public Map<String, Tensor> averaged() {
    return optimizer.averaged();
  }

  private Path file() {
    return folder.resolve("checkpoint.safetensors");
  }

  private void checkpoint(double seconds) {
    Weights.save(
        file(),
        optimizer.state(),
        Map.of(
            "step", String.valueOf(optimizer.step()),
            "seconds", String.valueOf(seconds),
            "layout", layout(),
            "loss", String.valueOf(smoothed)));
  }

  /// A digest of the model's names in order, so that no other model's vectors are taken.
  private String layout() {
    return Integer.toHexString(String.join(",", model.parameters().tensors().keySet()).hashCode());
  }

  private void resume() {
    if (!Files.exists(file())) {
      return;
    }
    try (Weights saved = Weights.open(file());
        TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Map<String, String> about = saved.model().metadata();
      boolean same = layout().equals(about.get("layout"));
      for (Map.Entry<String, Tensor> e : optimizer.state().entrySet()) {
        if (!same
            || !saved.contains(e.getKey())
            || !saved.model().entry(e.getKey()).shape().equals(List.of(e.getValue().numel()))) {
          throw SpillwayException.badFile(
              file(), "", "belongs to another model; remove it or train in another folder");
        }
        e.getValue().copy_(saved.tensor(e.getKey()));
      }
      optimizer.resumeAt(Long.parseLong(about.getOrDefault("step", "0")));
      secondsBefore = Double.parseDouble(about.getOrDefault("seconds", "0"));
      smoothed = Double.parseDouble(about.getOrDefault("loss", "NaN"));
    }
  }

  @Override
  public void close() {
    model.close();
    optimizer.close();
    holder.close();
  }
}
