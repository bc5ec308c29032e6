package io.spillway.longcontext.tasks;

import java.util.List;
import java.util.random.RandomGenerator;

/// Sentences between the needles.
public enum Filler {
  /// Sentences of a small grammar over many words, with numbers as decoys: every token carries
  /// surprise, so surprise alone does not find the needle.
  GRAMMAR(
      List.of(
          " The {a} {n} {v} the {a} {n}.",
          " The {n} {v} the {n} {p} the {a} {n}.",
          " One {n} {p} the {n} {v} a {a} {n}.",
          " When the {n} {v} the {n}, the {a} {n} {v} it.",
          " In the {a} {n} the {n} {v} many {a} {n}.",
          " Then the {n} {v} a {n} and the {n} {v} the {a} {n}.",
          " The {a} {n} counted {d} times.",
          " At night the {n} {p} the {n} was {a} and {a}.")),
  /// Sentence frames that training never sees, over the same words.
  HELD_OUT(
      List.of(
          " Every {n} {v} some {n} or a {a} {n}.",
          " Now it was the {a}, {a} {n} that {v} a {n}.",
          " But where a {n} {v}, many {n} are {a}.",
          " There one {a} {n} was {p} the {n}, and a {n} {v} it.",
          " Some {n} have counted {d} and then {d} more.")),
  /// The five sentences of InfiniteBench's retrieval tasks.
  NOISE(
      List.of(
          " The grass is green. The sky is blue. The sun is yellow. Here we go. There and back"
              + " again.")),
  /// Words in no order, so that a needle is found in any surroundings.
  WORDS(
      List.of(
          " {n} {a} {v} {p} {n} {v} {a}.",
          " {a} {p} {n}, {n} {d} {v}.",
          " {v} {n} {n} {a}: {p} {a} {n}?",
          " {p} {n} \"{n}\" {v} {v} {n} {a} {a} {n}!",
          " {n} - {n} {p} {a} = {n} ({n})."));

  private final List<String> frames;

  Filler(List<String> frames) {
    this.frames = frames;
  }

  /// One random sentence with a leading space.
  public String sentence(RandomGenerator random) {
    return fill(frames.get(random.nextInt(frames.size())), random);
  }

  private static String fill(String frame, RandomGenerator random) {
    StringBuilder out = new StringBuilder(frame.length() * 2);
    int from = 0;
    for (int open = frame.indexOf('{'); open >= 0; open = frame.indexOf('{', from)) {
      out.append(frame, from, open);
      out.append(
          switch (frame.charAt(open + 1)) {
            case 'a' -> pick(Lexicon.ADJECTIVES, random);
            case 'n' -> pick(Lexicon.NOUNS, random);
            case 'v' -> pick(Lexicon.VERBS, random);
            case 'p' -> pick(Lexicon.PREPOSITIONS, random);
            case 'd' -> digits(5, random);
            default -> throw new IllegalStateException("frame '" + frame + "'");
          });
      from = open + 3;
    }
    return out.append(frame, from, frame.length()).toString();
  }

  static String pick(List<String> words, RandomGenerator random) {
    return words.get(random.nextInt(words.size()));
  }

  static String digits(int count, RandomGenerator random) {
    StringBuilder out = new StringBuilder();
    out.append((char) ('1' + random.nextInt(9)));
    while (out.length() < count) {
      out.append((char) ('0' + random.nextInt(10)));
    }
    return out.toString();
  }
}
