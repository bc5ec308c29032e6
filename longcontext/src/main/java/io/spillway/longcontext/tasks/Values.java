package io.spillway.longcontext.tasks;

import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/// Draws the numbers of one sample, each another one. In training half of the samples take their
/// digits from a few, so that numbers share beginnings: then a digit can only be found by its key
/// and its place, never by the digits before it alone. Without this a small model reads the digit
/// of another number once in a few answers.
final class Values {
  private final String alphabet;
  private final Set<String> used = new HashSet<>();

  private Values(String alphabet) {
    this.alphabet = alphabet;
  }

  static Values of(TaskGenerator.Templates templates, RandomGenerator random) {
    StringBuilder digits = new StringBuilder("0123456789");
    if (templates == TaskGenerator.Templates.VARIED && random.nextBoolean()) {
      int few = 3 + random.nextInt(3);
      while (digits.length() > few) {
        digits.deleteCharAt(random.nextInt(digits.length()));
      }
    }
    return new Values(digits.toString());
  }

  /// Five digits.
  String next(RandomGenerator random) {
    while (true) {
      StringBuilder out = new StringBuilder();
      while (out.length() < 5) {
        out.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      boolean whole = out.charAt(0) != '0';
      if (whole && used.add(out.toString())) {
        return out.toString();
      }
    }
  }
}
