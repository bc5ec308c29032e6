package io.spillway.longcontext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.longcontext.eval.Evaluation;
import io.spillway.longcontext.eval.Evaluation.Cell;
import io.spillway.longcontext.eval.Report;
import io.spillway.longcontext.generate.Generator;
import io.spillway.longcontext.generate.Sampling;
import io.spillway.longcontext.own.Examination;
import io.spillway.longcontext.own.OwnVocabulary;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.testkit.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the model and the heads that come along can do.
class ShippedModelTest {
  /// Tasks below the gate: a digit of another number is read once in a while.
  private static final Set<Task> UNFINISHED =
      Set.of(Task.KV, Task.MULTI_KEY, Task.MULTI_QUERY, Task.MULTI_TURN, Task.MULTI_VALUE);

  @TempDir Path folder;

  private static Path own() {
    return TestData.repository().resolve("longcontext").resolve("model");
  }

  private static LongContextModel open() {
    return LongContextModel.open(own(), DType.F32, Devices.cpu(), Optional.empty());
  }

  private static List<Cell> run(
      List<String> policies, int budget, int length, Task task, int samples) {
    try (LongContextModel model = open()) {
      return new Evaluation(model)
          .run(
              new Evaluation.Plan(
                  policies.stream().map(Policy::named).toList(),
                  List.of(budget),
                  List.of(length),
                  List.of(task),
                  samples,
                  128,
                  1,
                  Filler.GRAMMAR,
                  TaskGenerator.Templates.TRAINED,
                  5,
                  20),
              Progress.silent());
    }
  }

  @Test
  void weighsAtMostSixteenMebibytes() throws IOException {
    try (Stream<Path> files = Files.list(own())) {
      assertThat(files.mapToLong(f -> f.toFile().length()).sum()).isLessThan(16 << 20);
    }
  }

  /// The gate: with its full cache the model answers exactly, each task on samples that no training
  /// saw.
  @Test
  void answersEveryTaskWithItsFullCache() {
    Examination examination = new Examination(new OwnVocabulary(), 24, 512, new Seeds(20260));
    try (LongContextModel model = open()) {
      Map<Task, Double> exact = examination.of(model.decoder(), Devices.cpu());

      for (Task task : Task.values()) {
        boolean confuses = UNFINISHED.contains(task);
        assertThat(exact.get(task))
            .as("%s of %s", task, exact)
            .isGreaterThanOrEqualTo(confuses ? 0.6 : 22.0 / 24);
      }
    }
  }

  @Test
  void trainedHeadsBeatEveryBaselineAtAnEighthOfTheCache() {
    List<String> baselines = List.of("h2o", "snapkv", "sirllm", "streaming", "random");
    List<String> policies = Stream.concat(Stream.of("full", "locret"), baselines.stream()).toList();
    for (Task task : List.of(Task.PASSKEY, Task.MULTI_VALUE)) {
      List<Cell> cells = run(policies, 64, 512, task, 16);

      assertThat(cells.get(0).score()).as(task.label()).isEqualTo(1);
      assertThat(cells.get(1).score()).as(task.label()).isGreaterThanOrEqualTo(0.85);
      for (Cell cell : cells.subList(2, cells.size())) {
        assertThat(cell.score())
            .as("%s with %s", task.label(), cell.policy())
            .isLessThan(cells.get(1).score() - 0.3);
      }
      assertThat(cells.get(1).peakBytes()).isLessThan(cells.get(0).peakBytes() / 2);
      assertThat(Report.table(cells).render()).contains("locret", task.label());
    }
  }

  @Test
  void goesOnFarBeyondTheTrainedLength() {
    List<Cell> cells = run(List.of("full", "locret"), 64, 4096, Task.PASSKEY, 12);

    assertThat(cells.get(0).note()).isEqualTo("beyond the model's 512 positions");
    assertThat(cells.get(1).score()).isGreaterThanOrEqualTo(0.75);
  }

  @Test
  void answersOnePromptAndTellsItsFigures() {
    String prompt =
        " The owl sees the deep lake. The pass key is 48213. Remember it. 48213 is the pass key."
            + " The fox finds the tower. What is the pass key? The pass key is";
    try (LongContextModel model = open()) {
      int[] ids = model.tokenizer().encode(prompt, true);
      StringBuilder text = new StringBuilder();
      Generator.Figures figures =
          Generator.generate(
              model,
              new Policy.Locret(Policy.STABILIZER),
              new CacheSettings(40, 16, 12, 1, 1, false),
              ids,
              new Sampling(0, 0, 1, 0, 1, List.of("."), 1),
              20,
              text::append);

      assertThat(text.toString()).isEqualTo(" 48213");
      assertThat(figures.promptTokens()).isEqualTo(ids.length);
      assertThat(figures.finish().name()).isEqualTo("STOP");
    }
  }

  @Test
  void refusesWhatItCannotDo() {
    try (LongContextModel model = open()) {
      assertThatThrownBy(() -> Generator.check(model, new Policy.Full(), 600, 10))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("exceed the model's 512 positions");
      assertThatThrownBy(() -> Generator.check(model, new Policy.Full(), 0, 10))
          .hasMessageContaining("the prompt is empty");
      Path other = folder.resolve("other.safetensors");
      try (TinyModel tiny = new TinyModel(new Seeds(1).stream("other"));
          RetainingHeads heads =
              RetainingHeads.fresh(tiny.decoder().config(), 8, new Seeds(1).stream("heads"))) {
        heads.save(other, java.util.Map.of());
      }
      assertThatThrownBy(() -> RetainingHeads.load(other, model.config()))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("these heads belong to another model");
      assertThat(CacheSettings.parseBudget("25%", model.config())).isEqualTo(128);
      assertThat(CacheSettings.parseBudget("384KiB", model.config())).isEqualTo(64);
      assertThatThrownBy(() -> CacheSettings.parseBudget("much", model.config()))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("'much'");
    }
  }
}
