package io.spillway.longcontext.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.eval.Evaluation.Cell;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Spread;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.testkit.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
  @TempDir Path folder;

  private static Evaluation.Plan plan(int samples, String... policies) {
    return new Evaluation.Plan(
        Arrays.stream(policies).map(Policy::named).toList(),
        List.of(64),
        List.of(200),
        List.of(Task.PASSKEY),
        samples,
        64,
        1,
        Filler.GRAMMAR,
        TaskGenerator.Templates.TRAINED,
        3,
        4);
  }

  private static LongContextModel open() {
    Path own = TestData.repository().resolve("longcontext").resolve("model");
    return LongContextModel.open(own, DType.F32, Devices.cpu(), Optional.empty());
  }

  @Test
  void aJournalGoesOnWhereItStopped() throws IOException {
    Path file = folder.resolve("cells.jsonl");
    try (LongContextModel model = open()) {
      Evaluation evaluation = new Evaluation(model);
      double forever = Double.POSITIVE_INFINITY;
      List<Cell> first =
          evaluation.run(
              plan(3, "full", "random"), new JournalFile(file, forever), Progress.silent());
      Files.writeString(file, "{\"task\": \"passk", StandardOpenOption.APPEND); // pulled the plug
      List<Cell> second =
          evaluation.run(
              plan(3, "full", "random", "streaming"),
              new JournalFile(file, forever),
              Progress.silent());

      assertThat(second.subList(0, 2)).isEqualTo(first); // the seconds too: not measured again
      assertThat(second).hasSize(3);
      assertThat(evaluation.run(plan(3, "full"), new JournalFile(file, 0), Progress.silent()))
          .isEmpty();
      List<Cell> others =
          evaluation.run(plan(2, "full"), new JournalFile(file, forever), Progress.silent());
      assertThat(others.getFirst().samples()).isEqualTo(2);
    }
  }

  @Test
  void samplesOfAGroupHaveOneLengthAndKeepTheirText() {
    try (LongContextModel model = open()) {
      Prompts prompts = new Prompts(model.tokenizer());
      for (Task task : Task.values()) {
        var samples = prompts.samples(plan(6, "full"), task, 300);
        List<Group> groups = Group.of(samples, prompts, 4, 3);

        assertThat(groups.stream().mapToInt(Group::size).sum()).isEqualTo(6);
        for (Group group : groups) {
          assertThat(group.size()).isLessThanOrEqualTo(4);
          assertThat(Arrays.stream(group.contexts()).map(c -> c.length).distinct()).hasSize(1);
          for (int turn = 0; turn < group.turns(); turn++) {
            assertThat(Arrays.stream(group.questions(turn)).map(q -> q.length).distinct())
                .hasSize(1);
          }
        }
        String text = model.tokenizer().decode(groups.getFirst().contexts()[0]);
        assertThat(text).endsWith(samples.getFirst().context());
      }
    }
  }

  /// Worked from Wilson's formula: 5 of 10 gives 0.2366 to 0.7634, 40 of 40 gives 0.9124 to 1.
  @Test
  void intervalsAreWilsons() {
    assertThat(Spread.wilson(5, 10)).containsExactly(new double[] {0.2366, 0.7634}, near());
    assertThat(Spread.wilson(40, 40)).containsExactly(new double[] {0.9124, 1}, near());
  }

  private static Offset<Double> near() {
    return Offset.offset(1e-4);
  }

  @Test
  void badPlansAreRefused() {
    assertThatThrownBy(() -> plan(0, "full"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("samples is 0, it must be 1 to 100000");
  }
}
