package io.spillway.longcontext.own;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.tasks.Task;
import io.spillway.platform.Seeds;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class TrainingRowsTest {
  @Test
  void shortRowsAreMostlyChatsOfManyLengthsWithAnAnswer() {
    OwnVocabulary vocabulary = new OwnVocabulary();
    TrainingRows rows = new TrainingRows(vocabulary);
    double[] solved = new double[Task.values().length];
    java.util.Arrays.fill(solved, 1);
    Mix mix = Mix.of(0, solved);
    RandomGenerator random = new Seeds(4).stream("rows");
    int user = vocabulary.encode(OwnVocabulary.USER)[0];
    int chats = 0;
    int answered = 0;
    int ended = 0;
    for (int i = 0; i < 400; i++) {
      TrainingRows.Row row = rows.row(64, mix, random);
      assertThat(row.ids()).hasSize(65);
      chats += row.ids()[1] == user ? 1 : 0;
      int full = 0;
      for (float weight : row.weights()) {
        full += weight == 1 ? 1 : 0;
      }
      answered += full > 0 ? 1 : 0;
      ended += row.ids()[60] == 0 && row.ids()[64] == 0 ? 1 : 0;
    }
    assertThat(chats).isBetween(190, 290);
    assertThat(answered).isGreaterThan(300);
    assertThat(ended).isBetween(100, 390);
  }
}
