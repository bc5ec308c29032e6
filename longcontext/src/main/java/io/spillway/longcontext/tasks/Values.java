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
  private final boolean manyLengths;
  private final Set<String> used = new HashSet<>();

  private Values(String alphabet, boolean manyLengths) {
    this.alphabet = alphabet;
    this.manyLengths = manyLengths;
  }

  static Values of(TaskGenerator.Templates templates, RandomGenerator random) {
    StringBuilder digits = new StringBuilder("0123456789");
    boolean varied = templates == TaskGenerator.Templates.VARIED;
    if (varied && random.nextBoolean()) {
      int few = 3 + random.nextInt(3);
      while (digits.length() > few) {
        digits.deleteCharAt(random.nextInt(digits.length()));
      }
    }
    return new Values(digits.toString(), varied && random.nextInt(3) == 0);
  }

  /// Five digits; in a third of the samples for training up to eight, and from three on where few
  /// digits would not run out.
  String next(RandomGenerator random) {
    while (true) {
      StringBuilder out = new StringBuilder();
      int shortest = alphabet.length() < 10 ? 5 : 3;
      int length = manyLengths ? shortest + random.nextInt(9 - shortest) : 5;
      while (out.length() < length) {
        out.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      boolean whole = out.charAt(0) != '0';
      if (whole && used.add(out.toString())) {
        return out.toString();
      }
    }
  }
}
