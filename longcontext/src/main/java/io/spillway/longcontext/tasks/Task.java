package io.spillway.longcontext.tasks;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The kinds of generated questions.
public enum Task {
  PASSKEY("one pass key of five digits in the text"),
  NUMBER("one sequence of ten digits in the text"),
  KV("the value of one key in a JSON object of pairs"),
  SINGLE_KEY("one magic number for a named key"),
  MULTI_KEY("one of many magic numbers, asked for by its key"),
  MULTI_VALUE("every magic number of one key"),
  MULTI_QUERY("the magic numbers of two keys among many"),
  MULTI_TURN("several questions, each for another key, one after the other"),
  VARIABLES("the names that a value was handed to"),
  COMMON_WORDS("the two words that a list repeats"),
  FREQUENT_WORDS("the most frequent word of a list");

  private final String summary;

  Task(String summary) {
    this.summary = summary;
  }

  public String summary() {
    return summary;
  }

  /// The name on the command line, for example `multi-key`.
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// All names on the command line.
  public static List<String> labels() {
    return Arrays.stream(values()).map(Task::label).toList();
  }
}
