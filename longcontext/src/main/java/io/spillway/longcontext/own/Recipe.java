package io.spillway.longcontext.own;

import io.spillway.longcontext.TrainingLength;
import io.spillway.platform.SpillwayException;
import java.util.random.RandomGenerator;

/// How our own model is trained. The curriculum goes by the share of the training that is over, of
/// steps or, where a time limit is given, of seconds.
///
/// @param hidden width, a multiple of 64
/// @param layers at least 2
/// @param longest tokens that the model will be able to read
/// @param tokens tokens in a step
/// @param duration steps or seconds of the whole training
/// @param rate largest learning rate
/// @param examined samples of each task in an examination
/// @param examineEvery steps between examinations
/// @param goesOn starts from trained weights: no short rows at first
/// @param seed of weights and texts
public record Recipe(
    int hidden,
    int layers,
    int longest,
    int tokens,
    TrainingLength duration,
    double rate,
    int examined,
    int examineEvery,
    boolean goesOn,
    long seed) {
  public Recipe {
    if (hidden < 128 || hidden % 64 != 0 || layers < 2) {
      throw SpillwayException.badInput(
          "hidden %d must be a multiple of 64 from 128 on, layers %d at least 2", hidden, layers);
    }
    if (longest < 384 || longest % 4 != 0 || tokens < longest) {
      throw SpillwayException.badInput(
          "length %d must be a multiple of 4 from 384 on (the longest task has that many tokens)"
              + " and tokens %d in a step at least as many",
          longest, tokens);
    }
    if (!(rate > 0) || examined < 1 || examineEvery < 1) {
      throw SpillwayException.badInput(
          "rate %s, examined %d and examineEvery %d must be positive",
          rate, examined, examineEvery);
    }
  }

  private int stage(double fraction) {
    return goesOn ? 2 : fraction < 0.1 ? 0 : fraction < 0.25 ? 1 : 2;
  }

  /// Tokens in a row: a quarter of the longest at first, then a half, then mostly the longest. A
  /// training that goes on keeps rows of an eighth as well, without which short chats are
  /// forgotten.
  int length(double fraction, RandomGenerator random) {
    int stage = stage(fraction);
    int choice = random.nextInt(10);
    if (goesOn && choice > 7) {
      return longest >> 3;
    }
    int shorter = stage == 0 ? 0 : choice == 0 ? stage : choice < 3 ? 1 : 0;
    return longest >> (2 - stage + shorter);
  }

  /// Rows in a step: early steps are smaller and there are more of them.
  int rows(double fraction, int length) {
    return Math.max(1, (tokens >> (2 - stage(fraction))) / length);
  }

  /// The learning rate's factor: a cosine that ends at a hundredth.
  double cooled(double fraction) {
    return 0.01 + 0.99 * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, fraction)));
  }
}
