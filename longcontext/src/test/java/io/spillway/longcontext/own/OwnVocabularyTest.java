package io.spillway.longcontext.own;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.models.Tokenizer;
import io.spillway.testkit.Cases;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The vocabulary in plain Java and its `tokenizer.json` under the Hugging Face library agree.
class OwnVocabularyTest {
  @TempDir Path folder;

  @Test
  void agreesWithTheTokenizerLibrary() throws Exception {
    OwnVocabulary vocabulary = new OwnVocabulary();
    Files.writeString(folder.resolve("tokenizer.json"), vocabulary.tokenizerJson());
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      Cases.run(
          40,
          random -> {
            TaskGenerator tasks =
                new TaskGenerator(
                    text -> vocabulary.encode(text).length,
                    Filler.values()[random.nextInt(4)],
                    TaskGenerator.Templates.values()[random.nextInt(3)]);
            Task task = Task.values()[random.nextInt(Task.values().length)];
            Sample sample = tasks.generate(task, 200, random.nextDouble(), random);
            String text = sample.context() + sample.turns().getFirst().question();
            assertAgree(vocabulary, tokenizer, text);
          });
      assertAgree(vocabulary, tokenizer, "Grüße, 世界!\n\n\tx=3 'a'  <|user|>The fox<|end|>.");
      assertAgree(vocabulary, tokenizer, "");
      assertThat(tokenizer.encode("The fox", true)[0])
          .isEqualTo(vocabulary.id(OwnVocabulary.BEGIN));
    }
  }

  private static void assertAgree(OwnVocabulary vocabulary, Tokenizer tokenizer, String text) {
    int[] ids = vocabulary.encode(text);
    assertThat(tokenizer.encode(text, false)).as(text).isEqualTo(ids);
    assertThat(vocabulary.decode(ids)).isEqualTo(text);
    if (!text.contains("<|")) {
      assertThat(tokenizer.decode(ids)).isEqualTo(text);
    }
  }

  @Test
  void mostWordsAreOneToken() {
    OwnVocabulary vocabulary = new OwnVocabulary();
    String text = " The special magic number for amber fox is: 48213.";
    // eight words, a colon, five digits, a stop
    assertThat(vocabulary.encode(text)).hasSize(8 + 1 + 5 + 1);
  }
}
