package io.spillway.longcontext.own;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.longcontext.TrainingLength;
import io.spillway.longcontext.tasks.Task;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnTrainerTest {
  @TempDir Path folder;

  private static Recipe recipe(int steps) {
    return new Recipe(
        128, 2, 384, 384, TrainingLength.ofSteps(steps), 1e-3, 1, Math.max(1, steps), false, 3);
  }

  private static OwnTrainer.Outcome train(int steps, DType type, Path out, Progress progress) {
    return OwnTrainer.train(recipe(steps), Optional.empty(), Devices.cpu(), type, 2, out, progress);
  }

  @Test
  void everyWeightLearnsAndTheFolderIsAModel() {
    Path few = folder.resolve("few");
    Path more = folder.resolve("more");
    OwnTrainer.Outcome outcome = train(1, DType.F32, few, Progress.silent());
    train(6, DType.F32, more, Progress.silent());

    assertThat(outcome.exact()).hasSize(Task.values().length);
    assertThat(more.resolve("training.checkpoint")).doesNotExist();
    assertThat(Files.exists(more.resolve("tokenizer.json"))).isTrue();
    try (Weights before = Weights.open(few);
        Weights after = Weights.open(more);
        TensorScope scope = TensorScope.open()) {
      assertThat(before.names()).hasSize(2 * 9 + 2);
      for (String name : before.names()) {
        float[] a = Tensors.floats(before.tensor(name));
        float[] b = Tensors.floats(after.tensor(name));
        assertThat(b).as(name).doesNotContain(Float.NaN);
        if (b.length > 1000) { // norms move less than f16 shows in six steps
          assertThat(b).as(name).isNotEqualTo(a);
        }
      }
    }
  }

  @Test
  void bf16OverF32WeightsTrainsToo() {
    train(3, DType.BF16, folder.resolve("bf16"), Progress.silent());
    try (Weights weights = Weights.open(folder.resolve("bf16"));
        TensorScope scope = TensorScope.open()) {
      assertThat(Tensors.floats(weights.tensor("model.embed_tokens.weight")))
          .doesNotContain(Float.NaN);
      assertThat(Tensors.dtype(weights.tensor("model.norm.weight"))).isEqualTo(DType.F16);
    }
  }

  /// With a rate that changes nothing the weights that are written are those of the start.
  @Test
  void aTrainingStartsBetweenTwoModels() {
    Path near = folder.resolve("near");
    Path far = folder.resolve("far");
    train(1, DType.F32, near, Progress.silent());
    train(6, DType.F32, far, Progress.silent());
    Path between = folder.resolve("between");
    Recipe still = new Recipe(128, 2, 384, 384, TrainingLength.ofSteps(1), 1e-12, 1, 1, true, 3);
    OwnTrainer.train(
        still,
        Optional.of(new Start(near, Optional.of(far), 0.25)),
        Devices.cpu(),
        DType.F32,
        1,
        between,
        Progress.silent());
    try (Weights a = Weights.open(near);
        Weights b = Weights.open(far);
        Weights mixed = Weights.open(between);
        TensorScope scope = TensorScope.open()) {
      String name = "model.embed_tokens.weight";
      float[] from = Tensors.floats(a.tensor(name));
      float[] to = Tensors.floats(b.tensor(name));
      float[] got = Tensors.floats(mixed.tensor(name));
      for (int i = 0; i < got.length; i++) {
        float wanted = 0.75f * from[i] + 0.25f * to[i];
        assertThat(got[i]).isCloseTo(wanted, Offset.offset(1e-3f * Math.abs(wanted) + 1e-5f));
      }
    }
    assertThatThrownBy(() -> new Start(near, Optional.of(far), 1.5))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("share 1.5 of the way must be from 0 to 1");
  }

  @Test
  void badRecipesAreRefused() {
    assertThatThrownBy(
            () -> new Recipe(100, 2, 512, 512, TrainingLength.ofSteps(1), 1e-3, 1, 1, false, 1))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("hidden 100 must be a multiple of 64");
    assertThatThrownBy(() -> new TrainingLength(5, 5))
        .hasMessageContaining("give either steps (5) or a time limit (5.0 s)");
  }

  /// A perfect reader would score full marks: the answer follows from the text alone.
  @Test
  void examinationRowsAskForTheWholeAnswer() {
    OwnVocabulary vocabulary = new OwnVocabulary();
    TrainingRows rows = new TrainingRows(vocabulary);
    var random = new io.spillway.platform.Seeds(2).stream("rows");
    for (Task task : Task.values()) {
      TrainingRows.Row row = rows.plain(task, 512, random);
      List<Integer> asked = new ArrayList<>();
      for (int i = 0; i < row.weights().length; i++) {
        if (row.weights()[i] == 1) {
          asked.add(row.ids()[i + 1]);
        }
      }
      String answer = vocabulary.decode(asked.stream().mapToInt(Integer::intValue).toArray());
      assertThat(answer).as(task.label()).startsWith(" ").endsWith(".");
    }
  }
}
