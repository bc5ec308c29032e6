package io.spillway.longcontext.tasks;

import io.spillway.longcontext.tasks.Sample.Turn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;

/// Makes samples of a wanted length.
///
/// **Source:** the wording of InfiniteBench's retrieval tasks and of RULER; keys are an adjective
/// and a noun, so that a small vocabulary holds them.
public final class TaskGenerator {
  /// Which needle sentences are used.
  public enum Templates {
    /// The wordings of the published tasks.
    TRAINED,
    /// Those and some more, for training.
    VARIED,
    /// Wordings that training never sees.
    HELD_OUT
  }

  /// Wordings of one kind of needle.
  private record Wordings(List<String> trained, List<String> further, List<String> heldOut) {
    String pick(Templates templates, RandomGenerator random) {
      return switch (templates) {
        case TRAINED -> Filler.pick(trained, random);
        case VARIED -> {
          int at = random.nextInt(trained.size() + further.size());
          yield at < trained.size() ? trained.get(at) : further.get(at - trained.size());
        }
        case HELD_OUT -> Filler.pick(heldOut, random);
      };
    }
  }

  private static final List<String> PASSKEY =
      List.of(
          " The pass key is {v}. Remember it. {v} is the pass key.",
          " Remember the pass key. The pass key is {v}.",
          " Please keep the pass key safe: {v} is the pass key.",
          " Note that the pass key is {v}.");
  private static final List<String> PASSKEY_FURTHER =
      List.of(
          " My pass key is {v} and your pass key is {v}.",
          " The pass key is {v}. Remember it.",
          " {v} is the pass key.",
          " The secret pass key remains {v}. Keep it safe.",
          " I have said it: {v} is the pass key.",
          " Please write it down: the pass key is {v}. You need it.");
  private static final List<String> PASSKEY_HELD_OUT =
      List.of(
          " You will be asked about this: the pass key is {v}. Do not forget.",
          " Write down that {v} is your pass key.");
  private static final List<String> NUMBER =
      List.of(
          " The sequence of digits is {v}. Remember it. {v} is the sequence of digits.",
          " Note that the sequence of digits is {v}.",
          " Please remember the sequence of digits: {v} is the sequence of digits.");
  private static final List<String> NUMBER_FURTHER =
      List.of(
          " This is the sequence of digits: {v}. Keep it.",
          " I say that {v} is the sequence of digits.",
          " You need the sequence of digits. The sequence of digits is {v}.");
  private static final List<String> NUMBER_HELD_OUT =
      List.of(" Do not forget this: the sequence of digits is {v}. You will be asked about it.");
  private static final List<String> MAGIC =
      List.of(
          " One of the special magic numbers for {k} is: {v}.",
          " The special magic number for {k} is: {v}.",
          " Remember that the magic number for {k} is {v}.");
  private static final List<String> MAGIC_FURTHER =
      List.of(
          " Note this: the special magic number for {k} remains {v}.",
          " I say the magic number for {k} is {v}.",
          " For {k} the magic number is {v}.",
          " The number {v} is the special magic number for {k}.");
  private static final List<String> MAGIC_HELD_OUT =
      List.of(
          " Do not forget: one special number for {k} was said to be {v}.",
          " Keep in mind that {k} has the magic number {v}.");

  private final ToIntFunction<String> length;
  private final Filler filler;
  private final Templates templates;

  /// @param length tokens of a text
  /// @param filler sentences between the needles
  /// @param templates needle sentences
  public TaskGenerator(ToIntFunction<String> length, Filler filler, Templates templates) {
    this.length = length;
    this.filler = filler;
    this.templates = templates;
  }

  /// A sample whose context, questions and answers have at most `tokens` tokens and not much less.
  ///
  /// @param depth where the asked needle stands, 0 (begin) to 1 (end), or negative for anywhere
  public Sample generate(Task task, int tokens, double depth, RandomGenerator random) {
    return switch (task) {
      case PASSKEY ->
          needle(
              task,
              new Wordings(PASSKEY, PASSKEY_FURTHER, PASSKEY_HELD_OUT),
              Values.of(templates, random).next(random),
              " What is the pass key?",
              " The pass key is",
              tokens,
              depth,
              random);
      case NUMBER ->
          needle(
              task,
              new Wordings(NUMBER, NUMBER_FURTHER, NUMBER_HELD_OUT),
              tenDigits(random),
              " What is the sequence of digits?",
              " The sequence of digits is",
              tokens,
              depth,
              random);
      case KV -> keyValue(tokens, 1, depth, random);
      case SINGLE_KEY -> magic(task, tokens, 1, 1, 1, depth, random);
      case MULTI_KEY -> magic(task, tokens, keysFor(tokens), 1, 1, depth, random);
      case MULTI_VALUE -> magic(task, tokens, 1, 3, 1, depth, random);
      case MULTI_QUERY -> magic(task, tokens, 4, 1, 2, depth, random);
      case MULTI_TURN -> magic(task, tokens, 6, 1, -3, depth, random);
      case VARIABLES -> variables(tokens, List.of(3, 2), 1, random);
      case COMMON_WORDS, FREQUENT_WORDS -> words(task, tokens, 1, random);
    };
  }

  /// A sample with up to `turns` questions about one text: dense in answers, for training.
  public Sample dense(Task task, int tokens, int turns, RandomGenerator random) {
    return switch (task) {
      case PASSKEY, NUMBER, MULTI_VALUE, MULTI_QUERY -> generate(task, tokens, -1, random);
      case KV -> keyValue(tokens, turns, -1, random);
      case SINGLE_KEY -> magic(Task.SINGLE_KEY, tokens, 1, 1, 1, -1, random);
      case MULTI_KEY, MULTI_TURN -> {
        int keys = turns + random.nextInt(tokens / 50 + 1);
        yield magic(Task.MULTI_TURN, tokens, keys, 1, -turns, -1, random);
      }
      case VARIABLES -> {
        List<Integer> lengths = new ArrayList<>();
        for (int i = 0; i <= turns; i++) {
          lengths.add(2 + random.nextInt(3));
        }
        yield variables(tokens, lengths, turns, random);
      }
      case COMMON_WORDS, FREQUENT_WORDS -> words(task, tokens, Math.min(2, turns), random);
    };
  }

  private static int keysFor(int tokens) {
    return Math.clamp(tokens / 24, 2, 8);
  }

  private Sample needle(
      Task task,
      Wordings wordings,
      String value,
      String question,
      String lead,
      int tokens,
      double depth,
      RandomGenerator random) {
    String sentence = wordings.pick(templates, random).replace("{v}", value);
    Turn turn = new Turn(question, lead, " " + value, List.of(value));
    return spread(task, List.of(sentence), List.of(turn), tokens, depth, random);
  }

  /// Five random digits, then five times one digit doubled in place.
  private String tenDigits(RandomGenerator random) {
    StringBuilder out = new StringBuilder(Values.of(templates, random).next(random));
    for (int i = 0; i < 5; i++) {
      int at = random.nextInt(out.length());
      out.insert(at, out.charAt(at));
    }
    return out.toString();
  }

  /// Distinct keys of an adjective and a noun.
  private static List<String> keys(int count, String join, RandomGenerator random) {
    Set<String> keys = new LinkedHashSet<>();
    while (keys.size() < count) {
      keys.add(Filler.pick(Lexicon.ADJECTIVES, random) + join + Filler.pick(Lexicon.NOUNS, random));
    }
    return List.copyOf(keys);
  }

  /// @param asked keys asked in one question, or minus the number of turns
  private Sample magic(
      Task task,
      int tokens,
      int keyCount,
      int valuesPerKey,
      int asked,
      double depth,
      RandomGenerator random) {
    Values numbers = Values.of(templates, random);
    Wordings wordings = new Wordings(MAGIC, MAGIC_FURTHER, MAGIC_HELD_OUT);
    List<String> keys = keys(keyCount, " ", random);
    List<List<String>> values = new ArrayList<>();
    List<String> needles = new ArrayList<>();
    for (String key : keys) {
      List<String> of = new ArrayList<>();
      for (int i = 0; i < valuesPerKey; i++) {
        of.add(numbers.next(random));
        needles.add(
            wordings.pick(templates, random).replace("{k}", key).replace("{v}", of.getLast()));
      }
      values.add(of);
    }
    List<Turn> turns = new ArrayList<>();
    if (valuesPerKey > 1) {
      turns.add(
          new Turn(
              " What are all the special magic numbers for " + keys.getFirst() + "?",
              " The special magic numbers for " + keys.getFirst() + " are:",
              " " + String.join(", ", values.getFirst()),
              values.getFirst()));
    } else if (asked == 2) {
      turns.add(
          new Turn(
              " What are the magic numbers for " + keys.get(0) + " and " + keys.get(1) + "?",
              " The magic number for " + keys.get(0) + " is:",
              " "
                  + values.get(0).getFirst()
                  + " and the magic number for "
                  + keys.get(1)
                  + " is: "
                  + values.get(1).getFirst(),
              List.of(values.get(0).getFirst(), values.get(1).getFirst())));
    } else {
      for (int i = 0; i < Math.abs(asked); i++) {
        turns.add(
            new Turn(
                " What is the special magic number for " + keys.get(i) + " mentioned in the text?",
                " The special magic number for " + keys.get(i) + " is:",
                " " + values.get(i).getFirst(),
                List.of(values.get(i).getFirst())));
      }
    }
    return spread(task, needles, turns, tokens, depth, random);
  }

  private Sample keyValue(int tokens, int turnCount, double depth, RandomGenerator random) {
    String lead = " The value associated with \"{k}\" is:";
    List<String> names = keys(Math.max(4 + turnCount, tokens / 8), "-", random);
    Values numbers = Values.of(templates, random);
    List<String> values = new ArrayList<>();
    StringBuilder object = new StringBuilder(" {");
    int turnCost =
        length.applyAsInt(" Key: \"amber-fox\"" + lead.replace("{k}", "amber-fox") + " 12345") + 3;
    int used = 4 + turnCount * turnCost;
    for (String name : names) {
      String value = numbers.next(random);
      String pair = (values.isEmpty() ? "" : ",") + " \"" + name + "\": " + value;
      used += length.applyAsInt(pair);
      if (used > tokens && values.size() >= turnCount) {
        break;
      }
      object.append(pair);
      values.add(value);
    }
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      order.add(i);
    }
    if (depth < 0) {
      Collections.shuffle(order, random);
    } else {
      Collections.swap(order, 0, (int) Math.round(depth * (values.size() - 1)));
    }
    List<Turn> turns = new ArrayList<>();
    for (int asked : order.subList(0, turnCount)) {
      turns.add(
          new Turn(
              " Key: \"" + names.get(asked) + "\"",
              lead.replace("{k}", names.get(asked)),
              " " + values.get(asked),
              List.of(values.get(asked))));
    }
    return new Sample(Task.KV, object + "}", turns);
  }

  /// Chains of assignments whose links stand interleaved, each chain in its order.
  ///
  /// @param lengths names in each chain
  /// @param turnCount chains that are asked for, the first ones
  private Sample variables(
      int tokens, List<Integer> lengths, int turnCount, RandomGenerator random) {
    int total = lengths.stream().mapToInt(Integer::intValue).sum();
    List<String> names = pickDistinct(total, random);
    Values numbers = Values.of(templates, random);
    List<List<String>> links = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    List<Turn> turns = new ArrayList<>();
    int from = 0;
    for (int length : lengths) {
      List<String> chain = names.subList(from, from + length);
      from += length;
      String value = numbers.next(random);
      List<String> of = new ArrayList<>();
      of.add(" VAR " + chain.getFirst() + " = " + value + ".");
      for (int i = 1; i < length; i++) {
        of.add(" VAR " + chain.get(i) + " = VAR " + chain.get(i - 1) + ".");
      }
      order.addAll(Collections.nCopies(length, links.size()));
      links.add(of);
      turns.add(
          new Turn(
              " Find all variables assigned the value " + value + ".",
              " They are",
              " " + String.join(" ", chain),
              chain));
    }
    Collections.shuffle(order, random);
    int[] next = new int[lengths.size()];
    List<String> needles =
        order.stream().map(chain -> links.get(chain).get(next[chain]++)).toList();
    return spreadInOrder(Task.VARIABLES, needles, turns.subList(0, turnCount), tokens, random);
  }

  private static List<String> pickDistinct(int count, RandomGenerator random) {
    Set<String> names = new LinkedHashSet<>();
    while (names.size() < count) {
      names.add(Filler.pick(Lexicon.NOUNS, random));
    }
    return List.copyOf(names);
  }

  /// A shuffled list in which one or two words stand clearly more often than the others; the answer
  /// names the most frequent first.
  private Sample words(Task task, int tokens, int turnCount, RandomGenerator random) {
    int common = task == Task.COMMON_WORDS ? 2 : 1;
    List<String> pool = pickDistinct(40, random);
    List<String> expected = pool.subList(0, common);
    List<Turn> turns = new ArrayList<>();
    if (common == 1 || turnCount == 2) {
      turns.add(
          new Turn(
              " Which word is the most frequent?",
              " The most frequent word is",
              " " + expected.getFirst(),
              expected.subList(0, 1)));
    }
    if (common == 2) {
      turns.add(
          new Turn(
              " Which two words are the most common?",
              " The most common words are",
              " " + String.join(" ", expected),
              expected));
    }
    int count = tokens - 12;
    for (Turn turn : turns) {
      count -= length.applyAsInt(turn.question() + turn.lead() + turn.answer()) + 4;
    }
    count = Math.max(12, count);
    List<String> list = new ArrayList<>();
    int second = common == 2 ? Math.max(3, (int) Math.round(0.13 * count)) : 0;
    int first = Math.max(second + 3, (int) Math.round(0.22 * count));
    for (int i = 0; i < first + second; i++) {
      list.add(i < first ? expected.getFirst() : expected.getLast());
    }
    for (int i = 0; list.size() < count; i++) {
      list.add(pool.get(common + i % (pool.size() - common)));
    }
    Collections.shuffle(list, random);
    return new Sample(task, " Below is a list of words: " + String.join(" ", list) + ".", turns);
  }

  /// Puts the needles at random places, the first of them at `depth`.
  private Sample spread(
      Task task,
      List<String> needles,
      List<Turn> turns,
      int tokens,
      double depth,
      RandomGenerator random) {
    List<String> sentences = sentences(needles, turns, tokens, random);
    int at =
        depth < 0
            ? random.nextInt(sentences.size() + 1)
            : (int) Math.round(depth * sentences.size());
    List<String> others = new ArrayList<>(sentences);
    others.add(at, needles.getFirst());
    for (int i = 1; i < needles.size(); i++) {
      others.add(random.nextInt(others.size() + 1), needles.get(i));
    }
    return new Sample(task, String.join("", others), orderValues(task, turns, others));
  }

  /// Values are answered in the order in which they stand in the text.
  private static List<Turn> orderValues(Task task, List<Turn> turns, List<String> text) {
    if (task != Task.MULTI_VALUE) {
      return turns;
    }
    String joined = String.join("", text);
    Turn turn = turns.getFirst();
    List<String> ordered =
        turn.expected().stream()
            .sorted(java.util.Comparator.comparingInt(joined::indexOf))
            .toList();
    return List.of(
        new Turn(turn.question(), turn.lead(), " " + String.join(", ", ordered), ordered));
  }

  /// Puts the needles at random places in their order.
  private Sample spreadInOrder(
      Task task, List<String> needles, List<Turn> turns, int tokens, RandomGenerator random) {
    List<String> all = new ArrayList<>(sentences(needles, turns, tokens, random));
    int[] places = random.ints(needles.size(), 0, all.size() + 1).sorted().toArray();
    for (int i = needles.size() - 1; i >= 0; i--) {
      all.add(places[i], needles.get(i));
    }
    return new Sample(task, String.join("", all), turns);
  }

  private List<String> sentences(
      List<String> needles, List<Turn> turns, int tokens, RandomGenerator random) {
    int left = tokens - 4;
    for (String needle : needles) {
      left -= length.applyAsInt(needle);
    }
    for (Turn turn : turns) {
      left -= length.applyAsInt(turn.question() + turn.lead() + turn.answer()) + 4;
    }
    List<String> sentences = new ArrayList<>();
    while (true) {
      String sentence = filler.sentence(random);
      left -= length.applyAsInt(sentence);
      if (left < 0) {
        return sentences;
      }
      sentences.add(sentence);
    }
  }
}
