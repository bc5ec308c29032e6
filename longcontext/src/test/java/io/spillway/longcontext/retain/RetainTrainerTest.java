package io.spillway.longcontext.retain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.longcontext.TinyModel;
import io.spillway.longcontext.TrainingLength;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetainTrainerTest {
  @TempDir Path folder;

  private static final RetainTrainer.Source SOURCE =
      random -> new RetainTrainer.Example(random.ints(40, 0, 40).toArray(), 34);

  private static RetainTrainer.Recipe recipe(int steps) {
    return new RetainTrainer.Recipe(
        TrainingLength.ofSteps(steps), 1, 5e-3, 24, Importance.Label.PRODUCT, false, 1);
  }

  @Test
  void lossFallsAndHeadsSurviveTheFile() {
    try (TinyModel model = new TinyModel(new Seeds(1).stream("model"))) {
      Path out = folder.resolve("heads.safetensors");
      RetainTrainer.Outcome outcome =
          RetainTrainer.train(model.decoder(), SOURCE, recipe(150), out, Progress.silent());

      assertThat(outcome.lastLoss()).isLessThan(0.8 * outcome.firstLoss());
      try (RetainingHeads heads = RetainingHeads.load(out, model.decoder().config())) {
        double judged =
            RetainTrainer.evaluate(model.decoder(), heads, SOURCE, 10, Importance.Label.PRODUCT);
        assertThat(judged).isCloseTo(outcome.lastLoss(), Offset.offset(0.3 * judged));
      }
    }
  }

  @Test
  void anInterruptedTrainingEndsAsAWholeOne() {
    try (TinyModel model = new TinyModel(new Seeds(1).stream("model"))) {
      Path whole = folder.resolve("whole.safetensors");
      Path parts = folder.resolve("parts.safetensors");
      RetainTrainer.train(model.decoder(), SOURCE, recipe(210), whole, Progress.silent());
      Progress breaks =
          (name, total) ->
              new Progress.Task() {
                private long done;

                @Override
                public void advance(long steps) {
                  done += steps;
                  if (done == 205) {
                    throw new IllegalStateException("pulled the plug");
                  }
                }

                @Override
                public void note(String text) {}

                @Override
                public void close() {}
              };
      assertThatThrownBy(
              () -> RetainTrainer.train(model.decoder(), SOURCE, recipe(210), parts, breaks))
          .hasMessage("pulled the plug");
      assertThat(folder.resolve("parts.safetensors.checkpoint")).exists();
      assertThatThrownBy(() ->
              RetainTrainer.train(model.decoder(), SOURCE, recipe(300), parts, Progress.silent()))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("belongs to another recipe");
      RetainTrainer.train(model.decoder(), SOURCE, recipe(210), parts, Progress.silent());

      assertThat(contents(parts)).isEqualTo(contents(whole));
      assertThat(folder.resolve("parts.safetensors.checkpoint")).doesNotExist();
    }
  }

  private static byte[] contents(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// Worked by hand from the definition: the largest product over answer queries and group.
  @Test
  void importanceIsTheLargestProductOfAnAnswersQuery() {
    try (TinyModel model = new TinyModel(new Seeds(2).stream("model"));
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      int[] ids = new Seeds(3).stream("ids").ints(12, 0, 40).toArray();
      List<Importance.Layer> layers =
          Importance.of(
              model.decoder(), new RetainTrainer.Example(ids, 9), Importance.Label.PRODUCT);
      long[] wide = java.util.Arrays.stream(ids).asLongStream().toArray();
      Tensor x = model.decoder().embed(Tensors.of(wide, 1, 12));
      var qkv = model.decoder().project(0, x);
      var angles = model.decoder().angles(0, 12, 12);
      float[] q = Tensors.floats(model.decoder().rotate(qkv.query(), angles).contiguous());
      float[] k = Tensors.floats(model.decoder().rotate(qkv.key(), angles).contiguous());
      float[] label = Tensors.floats(layers.getFirst().label().contiguous());
      for (int kv = 0; kv < 2; kv++) {
        for (int j = 0; j < 9; j++) {
          double largest = Double.NEGATIVE_INFINITY;
          for (int head = 2 * kv; head < 2 * kv + 2; head++) {
            for (int p = 8; p < 11; p++) {
              double dot = 0;
              for (int d = 0; d < 8; d++) {
                dot += q[(head * 12 + p) * 8 + d] * k[(kv * 12 + j) * 8 + d];
              }
              largest = Math.max(largest, dot / Math.sqrt(8));
            }
          }
          assertThat((double) label[kv * 9 + j]).isCloseTo(largest, Offset.offset(1e-4));
        }
      }
    }
  }

  /// Worked out entry by entry from the definition: what the answer looks at in the last layer, and
  /// below it what those tokens read.
  @Test
  void aLinkedLabelCountsWhatNeededTokensRead() {
    try (TinyModel model = new TinyModel(new Seeds(2).stream("model"));
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      int prompt = 30;
      int length = 34;
      int[] ids = new Seeds(3).stream("ids").ints(length, 0, 40).toArray();
      RetainTrainer.Example example =
          new RetainTrainer.Example(ids, prompt, new int[] {prompt - 1, prompt + 2});
      List<Importance.Layer> linked =
          Importance.of(model.decoder(), example, Importance.Label.LINKED);
      List<Importance.Layer> direct =
          Importance.of(model.decoder(), example, Importance.Label.VALUE_WEIGHTED);
      int last = linked.size() - 1;
      float[] top = Tensors.floats(linked.get(last).label().contiguous());
      assertThat(top).isEqualTo(Tensors.floats(direct.get(last).label().contiguous()));

      // the layer below, by loops over plain numbers
      double[] needed = new double[prompt];
      for (int head = 0; head < 4; head++) {
        double[][] weights = weights(model, ids, last, head);
        for (int row : example.asking()) {
          for (int j = 0; j < prompt; j++) {
            needed[j] = Math.max(needed[j], weights[row][j]);
          }
        }
      }
      float[] label = Tensors.floats(linked.get(last - 1).label().contiguous());
      float[] values = Tensors.floats(linked.get(last - 1).qkv().value().contiguous());
      int further = 0;
      for (int kv = 0; kv < 2; kv++) {
        for (int j = 0; j < prompt; j++) {
          double most = 0;
          double asked = 0;
          for (int head = 2 * kv; head < 2 * kv + 2; head++) {
            double[][] weights = weights(model, ids, last - 1, head);
            for (int row : example.asking()) {
              asked = Math.max(asked, weights[row][j]);
            }
            for (int reader = j + 8; reader < prompt; reader++) {
              most = Math.max(most, needed[reader] * weights[reader][j]);
            }
          }
          further += most > asked ? 1 : 0;
          double size = 0;
          for (int d = 0; d < 8; d++) {
            size += Math.pow(values[(kv * prompt + j) * 8 + d], 2);
          }
          double wanted = Math.max(-8, Math.log(Math.max(most, asked) * Math.sqrt(size)));
          assertThat((double) label[kv * prompt + j]).isCloseTo(wanted, Offset.offset(2e-3));
        }
      }
      assertThat(further).isPositive();
    }
  }

  /// Softmax weights of one head, `[length][length]`.
  private static double[][] weights(TinyModel model, int[] ids, int layer, int head) {
    int n = ids.length;
    Tensor x =
        model
            .decoder()
            .embed(Tensors.of(java.util.Arrays.stream(ids).asLongStream().toArray(), 1, n));
    var angles = model.decoder().angles(0, n, n);
    for (int l = 0; l < layer; l++) {
      var qkv = model.decoder().project(l, x);
      Tensor attended =
          model
              .decoder()
              .attend(
                  model.decoder().rotate(qkv.query(), angles),
                  model.decoder().rotate(qkv.key(), angles),
                  qkv.value(),
                  0,
                  null);
      x = model.decoder().finish(l, x, attended);
    }
    var qkv = model.decoder().project(layer, x);
    float[] q = Tensors.floats(model.decoder().rotate(qkv.query(), angles).contiguous());
    float[] k = Tensors.floats(model.decoder().rotate(qkv.key(), angles).contiguous());
    double[][] out = new double[n][n];
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j <= i; j++) {
        double dot = 0;
        for (int d = 0; d < 8; d++) {
          dot += q[(head * n + i) * 8 + d] * k[(head / 2 * n + j) * 8 + d];
        }
        out[i][j] = Math.exp(dot / Math.sqrt(8));
        sum += out[i][j];
      }
      for (int j = 0; j <= i; j++) {
        out[i][j] /= sum;
      }
    }
    return out;
  }
}
