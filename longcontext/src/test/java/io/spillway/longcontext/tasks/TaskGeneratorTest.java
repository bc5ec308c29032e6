package io.spillway.longcontext.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.testkit.Cases;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TaskGeneratorTest {
  private static int words(String text) {
    return text.strip().split("\\s+").length;
  }

  private static TaskGenerator generator(Filler filler) {
    return new TaskGenerator(TaskGeneratorTest::words, filler, TaskGenerator.Templates.TRAINED);
  }

  @ParameterizedTest
  @EnumSource(Task.class)
  void answersStandInTheTextAndTheLengthIsKept(Task task) {
    Cases.run(
        20,
        random -> {
          Sample sample = generator(Filler.GRAMMAR).generate(task, 300, -1, random);
          int length = words(sample.context());
          for (Sample.Turn turn : sample.turns()) {
            length += words(turn.question() + turn.lead() + turn.answer());
            for (String expected : turn.expected()) {
              assertThat(sample.context()).contains(expected);
              assertThat(turn.answer()).contains(expected);
            }
            assertThat(turn.score(turn.answer())).isEqualTo(1);
            assertThat(turn.score(" nothing")).isEqualTo(0);
          }
          // pairs are counted as at least eight tokens, here they are two words
          assertThat(length).isBetween(task == Task.KV ? 60 : 200, 320);
        });
  }

  @Test
  void depthPlacesTheNeedle() {
    Cases.run(
        10,
        random -> {
          TaskGenerator tasks = generator(Filler.NOISE);
          Sample begin = tasks.generate(Task.PASSKEY, 2000, 0, random);
          Sample end = tasks.generate(Task.PASSKEY, 2000, 1, random);
          assertThat(begin.context().indexOf("pass key")).isLessThan(40);
          assertThat(end.context().indexOf("pass key")).isGreaterThan(end.context().length() - 120);
        });
  }

  @Test
  void oneSeedGivesOneSample() {
    var first = new io.spillway.platform.Seeds(5).stream("test");
    var second = new io.spillway.platform.Seeds(5).stream("test");
    assertThat(generator(Filler.HELD_OUT).generate(Task.MULTI_KEY, 400, -1, first))
        .isEqualTo(generator(Filler.HELD_OUT).generate(Task.MULTI_KEY, 400, -1, second));
  }

  @Test
  void askedKeysOfSeveralTurnsDiffer() {
    Cases.run(
        20,
        random -> {
          Sample sample = generator(Filler.GRAMMAR).generate(Task.MULTI_TURN, 400, -1, random);
          assertThat(sample.turns()).hasSize(3);
          assertThat(sample.turns().stream().map(Sample.Turn::question).distinct()).hasSize(3);
        });
  }
}
