package io.spillway.longcontext.generate;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.platform.SpillwayException;
import java.util.Arrays;
import java.util.function.Consumer;

/// One answer to one prompt, with its figures.
public final class Generator {
  /// What an answer cost.
  ///
  /// @param firstTokenSeconds from the begin of the prompt to the first token
  /// @param tokensPerSecond of the tokens after the first
  /// @param peakCacheBytes most bytes of keys and values
  /// @param fullCacheBytes what all entries of prompt and answer would take
  public record Figures(
      int promptTokens,
      int answerTokens,
      double firstTokenSeconds,
      double promptTokensPerSecond,
      double tokensPerSecond,
      long peakCacheBytes,
      long fullCacheBytes,
      Answer.Finish finish) {}

  private Generator() {}

  /// Splits a prompt into what may be evicted and the last `local` tokens, which are read whole.
  public static int[][] split(int[] prompt, int local) {
    int tail = Math.min(prompt.length, Math.max(1, local));
    return new int[][] {
      Arrays.copyOf(prompt, prompt.length - tail),
      Arrays.copyOfRange(prompt, prompt.length - tail, prompt.length)
    };
  }

  /// Reads `prompt`, answers piece by piece and says what it cost.
  ///
  /// **Errors:** an empty prompt, and one beyond the model's positions without a policy that
  /// evicts.
  public static Figures generate(
      LongContextModel model,
      Policy policy,
      CacheSettings settings,
      int[] prompt,
      Sampling sampling,
      int mostTokens,
      Consumer<String> pieces) {
    check(model, policy, prompt.length, mostTokens);
    long begin = System.nanoTime();
    try (Session session = model.session(policy, settings)) {
      int[][] parts = split(prompt, settings.local());
      session.prefill(parts[0], parts[1]);
      Answer answer =
          new Answer(model.tokenizer(), model.config().endTokens(), sampling, mostTokens);
      boolean more = answer.accept(session.logits());
      long first = System.nanoTime();
      pieces.accept(answer.fresh());
      while (more) {
        if (session.isFull()) {
          answer.cut();
          pieces.accept(answer.fresh());
          break;
        }
        more = answer.accept(session.extend(new int[] {answer.last()}));
        pieces.accept(answer.fresh());
      }
      double firstSeconds = (first - begin) / 1e9;
      double rest = (System.nanoTime() - first) / 1e9;
      long perToken =
          model
              .config()
              .cacheBytesPerToken(model.decoder().weight("model.norm.weight").element_size());
      return new Figures(
          prompt.length,
          answer.count(),
          firstSeconds,
          prompt.length / firstSeconds,
          answer.count() > 1 ? (answer.count() - 1) / rest : 0,
          session.peakBytes(),
          perToken * (prompt.length + answer.count()),
          answer.finish());
    }
  }

  /// Refuses what the model cannot read.
  public static void check(LongContextModel model, Policy policy, int prompt, int answer) {
    if (answer < 1) {
      throw SpillwayException.badInput(
          "an answer of at most %d tokens is no answer; allow at least 1", answer);
    }
    if (prompt == 0) {
      throw SpillwayException.badInput("the prompt is empty; give at least one token");
    }
    int limit = model.config().maxPositions();
    if (policy.base() instanceof Policy.Oracle) {
      throw SpillwayException.badInput(
          "the policy oracle needs the true answer; it works in evaluations only");
    }
    boolean unbounded =
        policy instanceof Policy.Full || policy.base() instanceof Policy.SnapKvWhole;
    if (unbounded && (long) prompt + answer > limit) {
      throw SpillwayException.badInput(
          "a prompt of %d tokens and an answer of up to %d exceed the model's %d positions; choose"
              + " a policy that evicts, for example --policy locret --budget %d",
          prompt, answer, limit, Math.max(32, limit / 4));
    }
  }
}
