package io.spillway.platform;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/// Finds the known name that a mistyped one most likely meant.
public final class Nearest {
  private Nearest() {}

  /// The known name within a third of the length of `name` in edits, at least one.
  public static Optional<String> to(String name, Collection<String> known) {
    int bound = name.length() < 2 ? 0 : Math.max(1, name.length() / 3);
    return known.stream()
        .filter(k -> distance(name, k) <= bound)
        .min(Comparator.comparingInt((String k) -> distance(name, k)).thenComparing(k -> k));
  }

  /// The end of an error message: the nearest name, or the known ones if none is near.
  public static String hint(String name, Collection<String> known) {
    return to(name, known)
        .map(k -> "did you mean '" + k + "'?")
        .orElseGet(() -> "known: " + String.join(", ", known.stream().sorted().toList()));
  }

  /// Edits (insert, delete, replace, swap of neighbours) between two names, ignoring case.
  static int distance(String left, String right) {
    String a = left.toLowerCase(Locale.ROOT);
    String b = right.toLowerCase(Locale.ROOT);
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        d[i][j] = Math.min(replace, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
