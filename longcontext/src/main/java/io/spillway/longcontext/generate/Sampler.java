package io.spillway.longcontext.generate;

import io.spillway.platform.Seeds;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/// Draws tokens from logits; one for each answer.
final class Sampler {
  private final Sampling sampling;
  private final RandomGenerator random;
  private final Set<Integer> occurred = new HashSet<>();

  Sampler(Sampling sampling) {
    this.sampling = sampling;
    this.random = new Seeds(sampling.seed()).stream("sampling");
  }

  int next(float[] logits) {
    double[] odds = new double[logits.length];
    for (int i = 0; i < odds.length; i++) {
      odds[i] = logits[i];
    }
    for (int token : occurred) {
      odds[token] =
          odds[token] > 0
              ? odds[token] / sampling.repetitionPenalty()
              : odds[token] * sampling.repetitionPenalty();
    }
    int token = sampling.temperature() == 0 ? best(odds) : draw(odds);
    occurred.add(token);
    return token;
  }

  private static int best(double[] odds) {
    int best = 0;
    for (int i = 1; i < odds.length; i++) {
      if (odds[i] > odds[best]) {
        best = i;
      }
    }
    return best;
  }

  /// Places by falling share, the earlier first among equals; a vocabulary is too wide to box.
  private static int[] falling(double[] share) {
    long[] keys = new long[share.length];
    for (int i = 0; i < keys.length; i++) {
      // bits of positive floats rise with them, so their complement falls
      keys[i] = (long) ~Float.floatToIntBits((float) share[i]) << 32 | i;
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    for (int i = 0; i < order.length; i++) {
      order[i] = (int) keys[i];
    }
    return order;
  }

  private int draw(double[] odds) {
    double largest = odds[best(odds)];
    double[] share = new double[odds.length];
    double sum = 0;
    for (int i = 0; i < odds.length; i++) {
      share[i] = Math.exp((odds[i] - largest) / sampling.temperature());
      sum += share[i];
    }
    int[] order = falling(share);
    int kept = sampling.topK() == 0 ? order.length : Math.min(sampling.topK(), order.length);
    double together = 0;
    int last = 0;
    while (last < kept) {
      boolean likely = share[order[last]] >= sampling.minP();
      if (last > 0 && (!likely || together / sum >= sampling.topP())) {
        break;
      }
      together += share[order[last++]];
    }
    double at = random.nextDouble() * together;
    for (int i = 0; i < last; i++) {
      at -= share[order[i]];
      if (at <= 0) {
        return order[i];
      }
    }
    return order[last - 1];
  }
}
