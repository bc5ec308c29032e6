package io.spillway.longcontext.own;

import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import java.util.List;
import java.util.random.RandomGenerator;

/// Rows of token ids with a weight for the loss of each prediction: 1 where an answer is predicted,
/// little elsewhere.
final class TrainingRows {
  /// Weight of predicting text that is no answer.
  static final float TEXT_WEIGHT = 0.03f;

  private static final float LEAD_WEIGHT = 0.3f;

  /// Rows up to this length teach short prompts, mostly chats: every task, whether solved at length
  /// or not.
  private static final int BRIEF = 64;

  private static final int SHORTEST = 20;

  /// One row.
  ///
  /// @param ids `[length + 1]`
  /// @param weights weight of predicting `ids[i + 1]`, `[length]`
  record Row(int[] ids, float[] weights) {}

  private final OwnVocabulary vocabulary;
  private final TaskGenerator grammar;
  private final TaskGenerator noise;
  private final TaskGenerator words;

  TrainingRows(OwnVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.grammar = generator(Filler.GRAMMAR);
    this.noise = generator(Filler.NOISE);
    this.words = generator(Filler.WORDS);
  }

  private TaskGenerator generator(Filler filler) {
    return new TaskGenerator(
        text -> vocabulary.encode(text).length, filler, TaskGenerator.Templates.VARIED);
  }

  /// @param mix what rows hold
  Row row(int length, Mix mix, RandomGenerator random) {
    if (random.nextDouble() < mix.copies()) {
      return copy(length, random);
    }
    boolean brief = length <= BRIEF;
    Task task = brief ? Task.values()[random.nextInt(Task.values().length)] : mix.pick(random);
    boolean chat = random.nextInt(10) < (brief ? 6 : 3);
    // people ask in a line as well as in a page
    int tokens = length - 2 - (brief ? random.nextInt(length - SHORTEST) : 0);
    int choice = random.nextInt(8);
    TaskGenerator from = choice == 0 ? noise : choice < 3 ? words : grammar;
    // a chain of variables needs some fifty tokens with its question
    int turns = 1 + random.nextInt(Math.max(1, tokens / 64));
    Sample sample =
        random.nextInt(4) == 0
            ? from.generate(task, tokens, -1, random)
            : from.dense(task, tokens, turns, random);
    return lay(sample, length, chat);
  }

  /// A row as an evaluation has it: text, then questions and answers, nothing else.
  Row plain(Task task, int length, RandomGenerator random) {
    return lay(grammar.generate(task, length - 2, -1, random), length, false);
  }

  /// Random tokens, a second time after a mark; short runs are repeated more often.
  private Row copy(int length, RandomGenerator random) {
    int[] ids = new int[length + 1];
    float[] weights = new float[length];
    int period = 8 + random.nextInt(length / 2 - 8);
    int first = vocabulary.id(" the") / 2;
    ids[0] = vocabulary.id(OwnVocabulary.BEGIN);
    for (int i = 1; i <= length; i++) {
      if (i <= period) {
        ids[i] =
            random.nextInt(3) == 0
                ? vocabulary.id(" " + random.nextInt(10))
                : first + random.nextInt(vocabulary.size() - first);
      } else {
        ids[i] = ids[i - period];
        weights[i - 1] = 0.5f;
      }
    }
    return new Row(ids, weights);
  }

  /// Lays a sample out as plain text or as a chat.
  private Row lay(Sample sample, int length, boolean chat) {
    int[] ids = new int[length + 1];
    float[] weights = new float[length];
    int at = put(ids, weights, 0, OwnVocabulary.BEGIN + (chat ? OwnVocabulary.USER : ""), 0);
    at = put(ids, weights, at, sample.context(), TEXT_WEIGHT);
    List<Sample.Turn> turns = sample.turns();
    for (int i = 0; i < turns.size(); i++) {
      Sample.Turn turn = turns.get(i);
      String user = chat && i > 0 ? OwnVocabulary.USER : "";
      at = put(ids, weights, at, user + turn.question(), TEXT_WEIGHT);
      at = put(ids, weights, at, chat ? OwnVocabulary.ASSISTANT : "", 0);
      at = put(ids, weights, at, turn.lead(), chat ? LEAD_WEIGHT : TEXT_WEIGHT);
      at = put(ids, weights, at, turn.answer() + ".", 1);
      at = put(ids, weights, at, chat ? OwnVocabulary.END : "", 1);
    }
    return new Row(ids, weights);
  }

  private int put(int[] ids, float[] weights, int at, String text, float weight) {
    if (text.isEmpty()) {
      return at;
    }
    int place = at;
    for (int id : vocabulary.encode(text)) {
      if (place == ids.length) {
        return place;
      }
      ids[place] = id;
      if (place > 0) {
        weights[place - 1] = weight;
      }
      place++;
    }
    return place;
  }
}
