package io.spillway.diffusion.training;

import io.spillway.diffusion.model.Alone;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.shapes.PictureBatch;
import io.spillway.diffusion.shapes.Pixels;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Trains a denoiser on pictures of our own by rectified flow: the network learns the velocity
/// noise - picture at x = (1 - s) picture + s noise, with s drawn logit-normally.
///
/// Every choice of step n comes from the streams numbered n, so a run that was interrupted goes on
/// from its last checkpoint as if nothing had happened.
///
/// **Source:** Esser et al., "Scaling Rectified Flow Transformers", sections 2 and 3.1.
public final class Trainer implements AutoCloseable {
  private static final long CHECKPOINT_NS = 90_000_000_000L;

  private final Denoiser model;
  private final Recipe recipe;
  private final Path folder;
  private final Seeds seeds;
  private final AdamW optimizer;
  private double smoothed = Double.NaN;

  public Trainer(Denoiser model, Recipe recipe, Path folder) {
    this.model = model;
    this.recipe = recipe;
    this.folder = folder;
    this.seeds = new Seeds(recipe.seed());
    model.parameters().tensors().values().forEach(t -> t.requires_grad_(true));
    this.optimizer = new AdamW(model.parameters().tensors());
  }

  /// Trains to the end of the recipe, from the last checkpoint in the folder if there is one.
  public void run(Progress progress) {
    resume();
    long last = System.nanoTime();
    try (Progress.Task task = progress.start("train", recipe.totalSteps() - optimizer.step())) {
      while (optimizer.step() < recipe.totalSteps()) {
        double loss = step();
        smoothed = Double.isNaN(smoothed) ? loss : 0.98 * smoothed + 0.02 * loss;
        if (!Double.isFinite(loss)) {
          throw SpillwayException.badInput(
              "training diverged at step %d with learning rate %s; take a smaller one",
              optimizer.step(), recipe.rate());
        }
        task.advance(1);
        if (optimizer.step() % 20 == 0) {
          task.note(String.format(Locale.ROOT, "loss %.4f", smoothed));
        }
        if (System.nanoTime() - last > CHECKPOINT_NS) {
          checkpoint();
          last = System.nanoTime();
        }
      }
    }
    checkpoint();
  }

  /// One update; returns the loss.
  double step() {
    long n = optimizer.step();
    boolean small = n < recipe.smallSteps();
    int size = small ? recipe.size() / 2 : recipe.size();
    int batch = small ? recipe.smallBatch() : recipe.batch();
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      PictureBatch pictures = PictureBatch.draw(batch, size, seeds.stream("pictures", n));
      RandomGenerator random = seeds.stream("noise", n);
      float[] noiseValues = new float[batch * 3 * size * size];
      for (int i = 0; i < noiseValues.length; i++) {
        noiseValues[i] = (float) random.nextGaussian();
      }
      Tensor images = Pixels.encode(pictures.images(), model.channels());
      Tensor noise = Tensors.of(noiseValues, Tensors.shape(images));
      float[] sigmas = new float[batch];
      for (int i = 0; i < batch; i++) {
        sigmas[i] = (float) (1 / (1 + Math.exp(-random.nextGaussian())));
      }
      Tensor sigma = Tensors.of(sigmas, batch);
      long[] labels = Tensors.longs(pictures.labels());
      for (int i = 0; i < batch; i++) {
        if (random.nextDouble() < recipe.labelDropout()) {
          labels[i] = Shape.values().length;
        }
      }
      Tensor x = images.lerp(noise, sigma.view(batch, 1, 1, 1));
      Tensor times = sigma.mul(new org.bytedeco.pytorch.Scalar(1000.0));
      Tensor target = noise.sub(images);
      Tensor velocity =
          model.predict(x, times, new Condition.Labels(Tensors.of(labels, batch)), Alone.ALONE);
      Tensor loss = torch.mse_loss(velocity, target);
      loss.backward();
      optimizer.update(recipe.rateAt(n), Recipe.WEIGHT_DECAY, Recipe.CLIP, recipe.averaging());
      return loss.item_float();
    }
  }

  /// The running average of the weights, under the names of the model.
  public Map<String, Tensor> averaged() {
    Map<String, Tensor> averaged = new LinkedHashMap<>();
    for (String name : model.parameters().tensors().keySet()) {
      averaged.put(
          name, java.util.Objects.requireNonNull(optimizer.state().get("average." + name)));
    }
    return averaged;
  }

  private Path file() {
    return folder.resolve("checkpoint.safetensors");
  }

  private void checkpoint() {
    Map<String, Tensor> all = new LinkedHashMap<>(optimizer.state());
    model.parameters().tensors().forEach((name, t) -> all.put("w." + name, t));
    Weights.save(
        file(),
        all,
        Map.of(
            "step", String.valueOf(optimizer.step()),
            "seed", String.valueOf(recipe.seed()),
            "loss", String.valueOf(smoothed)));
  }

  private void resume() {
    if (!Files.exists(file())) {
      return;
    }
    try (Weights saved = Weights.open(file());
        TensorScope scope = TensorScope.open()) {
      assert scope != null;
      model.parameters().tensors().forEach((name, t) -> restore(saved, "w." + name, t.detach()));
      optimizer.state().forEach((name, t) -> restore(saved, name, t));
      optimizer.resumeAt(Long.parseLong(saved.model().metadata().getOrDefault("step", "0")));
      smoothed = Double.parseDouble(saved.model().metadata().getOrDefault("loss", "NaN"));
    }
  }

  private void restore(Weights saved, String name, Tensor into) {
    if (!saved.contains(name)
        || !saved
            .model()
            .entry(name)
            .shape()
            .equals(java.util.Arrays.stream(Tensors.shape(into)).boxed().toList())) {
      throw SpillwayException.badFile(
          file(), "", "belongs to another model (%s differs); remove it or train elsewhere", name);
    }
    into.copy_(saved.tensor(name));
  }

  @Override
  public void close() {
    optimizer.close();
  }
}
