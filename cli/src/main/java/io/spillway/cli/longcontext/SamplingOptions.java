package io.spillway.cli.longcontext;

import io.spillway.longcontext.generate.Sampling;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// The options that say how tokens are chosen.
final class SamplingOptions {
  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "64",
      description = "Tokens of the answer at most (default: ${DEFAULT-VALUE}).")
  int maxTokens = 64;

  @Option(
      names = "--temperature",
      defaultValue = "0",
      description = "0 takes the most likely token (default: ${DEFAULT-VALUE}).")
  double temperature;

  @Option(
      names = "--top-k",
      defaultValue = "0",
      description = "Choose among so many tokens, 0 for all (default: ${DEFAULT-VALUE}).")
  int topK;

  @Option(
      names = "--top-p",
      defaultValue = "1",
      description =
          "Choose among the smallest set with that probability (default: ${DEFAULT-VALUE}).")
  double topP = 1;

  @Option(
      names = "--min-p",
      defaultValue = "0",
      description =
          "Leave out tokens below that share of the likeliest (default: ${DEFAULT-VALUE}).")
  double minP;

  @Option(
      names = "--repetition-penalty",
      defaultValue = "1",
      description = "Divides the odds of tokens that occurred (default: ${DEFAULT-VALUE}).")
  double repetitionPenalty = 1;

  @Option(names = "--stop", description = "Text that ends the answer; may be repeated.")
  List<String> stop = new ArrayList<>();

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Seed of the choices (default: ${DEFAULT-VALUE}).")
  long seed = 1;

  Sampling sampling() {
    return new Sampling(temperature, topK, topP, minP, repetitionPenalty, stop, seed);
  }
}
