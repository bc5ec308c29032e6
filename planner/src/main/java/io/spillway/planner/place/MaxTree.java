package io.spillway.planner.place;

/// The largest of many values under single changes, by a tournament: O(log n) for a change, O(1)
/// for the maximum.
final class MaxTree {
  private final int leaves;
  private final double[] tree;

  MaxTree(int count) {
    int size = 1;
    while (size < Math.max(1, count)) {
      size *= 2;
    }
    leaves = size;
    tree = new double[2 * size];
  }

  void set(int at, double value) {
    int i = leaves + at;
    tree[i] = value;
    for (i /= 2; i >= 1; i /= 2) {
      double max = Math.max(tree[2 * i], tree[2 * i + 1]);
      if (tree[i] == max) {
        return;
      }
      tree[i] = max;
    }
  }

  double get(int at) {
    return tree[leaves + at];
  }

  double max() {
    return tree[1];
  }
}
