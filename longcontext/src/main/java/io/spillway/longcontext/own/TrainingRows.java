package io.spillway.longcontext.own;

import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import java.util.random.RandomGenerator;

/// Rows of token ids with a weight for the loss of each prediction: 1 where an answer is predicted,
/// little elsewhere.
final class TrainingRows {
  private static final float TEXT_WEIGHT = 0.1f;

  /// One row.
  ///
  /// @param ids `[length + 1]`
  /// @param weights weight of predicting `ids[i + 1]`, `[length]`
  record Row(int[] ids, float[] weights) {}

  private final OwnVocabulary vocabulary;
  private final TaskGenerator grammar;
  private final TaskGenerator noise;

  TrainingRows(OwnVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.grammar =
        new TaskGenerator(
            text -> vocabulary.encode(text).length,
            Filler.GRAMMAR,
            TaskGenerator.Templates.TRAINED);
    this.noise =
        new TaskGenerator(
            text -> vocabulary.encode(text).length, Filler.NOISE, TaskGenerator.Templates.TRAINED);
  }

  /// @param copies share of rows that repeat a run of random tokens, which teaches copying first
  Row row(int length, double copies, RandomGenerator random) {
    if (random.nextDouble() < copies) {
      return copy(length, random);
    }
    boolean chat = random.nextInt(10) < 3;
    boolean questionFirst = random.nextInt(100) < 14;
    return lay(sample(length - (questionFirst ? 18 : 2), random), length, chat, questionFirst);
  }

  private Sample sample(int tokens, RandomGenerator random) {
    TaskGenerator from = random.nextInt(8) == 0 ? noise : grammar;
    int choice = random.nextInt(100);
    int turns = Math.max(1, random.nextInt(tokens / 60 + 1));
    if (choice < 24) {
      int keys = turns + random.nextInt(tokens / 50 + 1);
      return from.magicTurns(tokens, keys, turns, random);
    }
    if (choice < 56) {
      return from.keyValueTurns(tokens, turns, random);
    }
    Task task =
        choice < 61
            ? Task.PASSKEY
            : choice < 77
                ? Task.NUMBER
                : choice < 85
                    ? Task.MULTI_VALUE
                    : choice < 89
                        ? Task.MULTI_QUERY
                        : choice < 95
                            ? Task.VARIABLES
                            : choice < 97 ? Task.COMMON_WORDS : Task.FREQUENT_WORDS;
    return from.generate(task, tokens, -1, random);
  }

  /// Random tokens, a second time after a mark; short runs are repeated more often.
  private Row copy(int length, RandomGenerator random) {
    int[] ids = new int[length + 1];
    float[] weights = new float[length];
    int period = 8 + random.nextInt(length / 2 - 8);
    int words = vocabulary.id(" the");
    ids[0] = vocabulary.id(OwnVocabulary.BEGIN);
    for (int i = 1; i <= length; i++) {
      if (i <= period) {
        ids[i] =
            random.nextInt(3) == 0
                ? vocabulary.id(" " + random.nextInt(10))
                : words / 2 + random.nextInt(vocabulary.size() - words / 2);
      } else {
        ids[i] = ids[i - period];
        weights[i - 1] = 0.5f;
      }
    }
    return new Row(ids, weights);
  }

  /// Lays a sample out as plain text or as a chat.
  ///
  /// @param questionFirst the first question stands before the text as well
  private Row lay(Sample sample, int length, boolean chat, boolean questionFirst) {
    int[] ids = new int[length + 1];
    float[] weights = new float[length];
    int at = put(ids, weights, 0, OwnVocabulary.BEGIN + (chat ? OwnVocabulary.USER : ""), 0);
    if (questionFirst) {
      Sample.Turn turn = sample.turns().getFirst();
      at = put(ids, weights, at, turn.question() + turn.lead(), TEXT_WEIGHT);
    }
    at = put(ids, weights, at, sample.context(), TEXT_WEIGHT);
    boolean first = true;
    for (Sample.Turn turn : sample.turns()) {
      String user = chat && !first ? OwnVocabulary.USER : "";
      at = put(ids, weights, at, user + turn.question(), TEXT_WEIGHT);
      at = put(ids, weights, at, chat ? OwnVocabulary.ASSISTANT : "", 0);
      at = put(ids, weights, at, turn.lead(), chat ? 0.3f : TEXT_WEIGHT);
      at = put(ids, weights, at, turn.answer() + ".", 1);
      at = put(ids, weights, at, chat ? OwnVocabulary.END : "", 1);
      first = false;
    }
    return new Row(ids, weights);
  }

  private int put(int[] ids, float[] weights, int at, String text, float weight) {
    if (text.isEmpty()) {
      return at;
    }
    for (int id : vocabulary.encode(text)) {
      if (at == ids.length) {
        return at;
      }
      ids[at] = id;
      if (at > 0) {
        weights[at - 1] = weight;
      }
      at++;
    }
    return at;
  }
}
