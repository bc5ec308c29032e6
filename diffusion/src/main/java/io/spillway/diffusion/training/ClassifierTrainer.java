package io.spillway.diffusion.training;

import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.PictureBatch;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.Locale;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Trains the classifier on pictures drawn afresh, slightly noisy so that the small errors of
/// generated pictures do not mislead it.
public final class ClassifierTrainer {
  private static final int SIZE = 64;
  private static final int BATCH = 48;

  private ClassifierTrainer() {}

  /// What came out.
  ///
  /// @param accuracy on 1000 pictures that were not in training
  public record Trained(Classifier classifier, double accuracy) {}

  public static Trained train(int steps, Seeds seeds, Progress progress) {
    Recipe recipe = new Recipe(steps, 0, BATCH, SIZE, 2e-3, 0.4, 0, DType.F32, seeds.seed());
    Parameters p;
    try (Parameters initial = Parameters.random(Classifier.shapes(), seeds);
        FlatAdamW optimizer = new FlatAdamW(initial, Devices.cpu(), DType.F32);
        Progress.Task task = progress.start("train classifier", steps)) {
      Classifier classifier = new Classifier(optimizer.parameters());
      for (int n = 0; n < steps; n++) {
        int step = n;
        TensorScope.run(() -> {
          RandomGenerator random = seeds.stream("classifier", step);
          PictureBatch batch = PictureBatch.draw(BATCH, SIZE, random);
          Tensor noise = torch.randn_like(batch.images()).mul(new Scalar(0.1));
          Tensor logits = classifier.logits(classifier.features(batch.images().add(noise)));
          Tensor loss = torch.cross_entropy_loss(logits, batch.labels());
          loss.backward();
          optimizer.update(recipe.rateAt(step, (double) step / steps), Recipe.WEIGHT_DECAY, 1);
          if (step % 20 == 0) {
            task.note(String.format(Locale.ROOT, "loss %.3f", loss.item_double()));
          }
        });
        task.advance(1);
      }
      p = optimizer.parameters().copy();
    }
    Classifier classifier = new Classifier(p);
    return new Trained(classifier, accuracy(classifier, 1000, seeds));
  }

  /// The share of fresh pictures that are named rightly.
  public static double accuracy(Classifier classifier, int count, Seeds seeds) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      PictureBatch batch = PictureBatch.draw(count, SIZE, seeds.stream("classifier test"));
      int[] named = classifier.judge(Tensors.floats(batch.images()), count, SIZE).labels();
      long[] labels = Tensors.longs(batch.labels());
      int right = 0;
      for (int i = 0; i < count; i++) {
        right += named[i] == labels[i] ? 1 : 0;
      }
      return (double) right / count;
    }
  }
}
