package io.spillway.longcontext.generate;

import io.spillway.models.Tokenizer;
import java.util.Arrays;
import java.util.List;

/// An answer as it grows: tokens come in, whole characters go out, stop texts end it.
public final class Answer {
  /// Why an answer ended, in OpenAI's words.
  public enum Finish {
    STOP,
    LENGTH
  }

  private final Tokenizer tokenizer;
  private final List<Integer> endTokens;
  private final Sampling sampling;
  private final Sampler sampler;
  private final int most;
  private int[] tokens = new int[64];
  private int count;
  private String text = "";
  private int handedOut;
  private boolean finished;
  private Finish finish = Finish.LENGTH;

  /// @param most tokens at most
  public Answer(Tokenizer tokenizer, List<Integer> endTokens, Sampling sampling, int most) {
    this.tokenizer = tokenizer;
    this.endTokens = List.copyOf(endTokens);
    this.sampling = sampling;
    this.sampler = new Sampler(sampling);
    this.most = most;
    if (most < 1) {
      finished = true;
    }
  }

  /// Chooses the next token from logits; whether the model must read it.
  public boolean accept(float[] logits) {
    if (finished) {
      return false;
    }
    int token = sampler.next(logits);
    if (endTokens.contains(token)) {
      end(Finish.STOP);
      return false;
    }
    if (count == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * count);
    }
    tokens[count++] = token;
    text = tokenizer.decode(Arrays.copyOf(tokens, count));
    for (String stop : sampling.stop()) {
      int at = text.indexOf(stop);
      if (at >= 0) {
        text = text.substring(0, at);
        end(Finish.STOP);
        return false;
      }
    }
    if (count >= most) {
      end(Finish.LENGTH);
      return false;
    }
    return true;
  }

  /// Ends the answer since the model has no positions left.
  public void cut() {
    if (!finished) {
      end(Finish.LENGTH);
    }
  }

  private void end(Finish reason) {
    finished = true;
    finish = reason;
  }

  /// Text that came since the last call. What may become a stop text, and bytes that are no whole
  /// character yet, wait.
  public String fresh() {
    int safe = text.length();
    if (!finished) {
      while (safe > handedOut && text.charAt(safe - 1) == '\uFFFD') {
        safe--;
      }
      for (String stop : sampling.stop()) {
        for (int length = Math.min(stop.length() - 1, safe); length > 0; length--) {
          if (text.startsWith(stop.substring(0, length), safe - length)) {
            safe -= length;
            break;
          }
        }
      }
    }
    if (safe <= handedOut) {
      return "";
    }
    String out = text.substring(handedOut, safe);
    handedOut = safe;
    return out;
  }

  public boolean finished() {
    return finished;
  }

  public Finish finish() {
    return finish;
  }

  /// Tokens so far.
  public int count() {
    return count;
  }

  /// The last token, for the model to read.
  public int last() {
    return tokens[count - 1];
  }

  public String text() {
    return text;
  }
}
