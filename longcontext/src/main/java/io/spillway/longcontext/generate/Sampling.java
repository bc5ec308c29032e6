package io.spillway.longcontext.generate;

import io.spillway.platform.SpillwayException;
import java.util.List;

/// How the next token is chosen.
///
/// @param temperature 0 takes the most likely token
/// @param topK most likely tokens to choose among, 0 for all
/// @param topP smallest set of tokens with that probability together, 1 for all
/// @param minP tokens with at least that share of the largest probability, 0 for all
/// @param repetitionPenalty divides the odds of tokens that occurred, 1 for none
/// @param stop texts that end the answer
/// @param seed of the choice
public record Sampling(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    List<String> stop,
    long seed) {
  public Sampling {
    stop = List.copyOf(stop);
    within("temperature", temperature, 0, 100);
    within("top-k", topK, 0, 1_000_000);
    within("top-p", topP, 1e-6, 1);
    within("min-p", minP, 0, 1);
    within("repetition penalty", repetitionPenalty, 0.01, 100);
    for (String text : stop) {
      if (text.isEmpty()) {
        throw SpillwayException.badInput("a stop text is empty; give at least one character");
      }
    }
  }

  private static void within(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw SpillwayException.badInput(
          "%s is %s, it must be from %s to %s", name, value, least, most);
    }
  }

  /// The most likely token each time.
  public static Sampling greedy() {
    return new Sampling(0, 0, 1, 0, 1, List.of(), 1);
  }
}
