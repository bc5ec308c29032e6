package io.spillway.planner.search;

import java.util.ArrayList;
import java.util.List;

/// All orders of a few things.
final class Permutations {
  private Permutations() {}

  /// All n! orders of 0 to n - 1.
  static List<int[]> of(int n) {
    List<int[]> all = new ArrayList<>();
    extend(new int[n], new boolean[n], 0, all);
    return all;
  }

  private static void extend(int[] order, boolean[] used, int at, List<int[]> all) {
    if (at == order.length) {
      all.add(order.clone());
      return;
    }
    for (int i = 0; i < order.length; i++) {
      if (!used[i]) {
        used[i] = true;
        order[at] = i;
        extend(order, used, at + 1, all);
        used[i] = false;
      }
    }
  }
}
