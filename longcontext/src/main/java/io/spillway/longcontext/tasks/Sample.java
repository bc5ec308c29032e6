package io.spillway.longcontext.tasks;

import java.util.List;

/// One long text with questions about it.
///
/// @param task what is asked
/// @param context the text
/// @param turns the questions in the order they are asked
public record Sample(Task task, String context, List<Turn> turns) {
  public Sample {
    turns = List.copyOf(turns);
  }

  /// One question.
  ///
  /// @param question the question with a leading space
  /// @param lead the begin of the answer, given in the prompt
  /// @param answer what must follow
  /// @param expected what the answer must contain, all of it in any order
  public record Turn(String question, String lead, String answer, List<String> expected) {
    public Turn {
      expected = List.copyOf(expected);
    }

    /// The share of the expected strings that `given` contains.
    public double score(String given) {
      long found = expected.stream().filter(given::contains).count();
      return (double) found / expected.size();
    }
  }
}
