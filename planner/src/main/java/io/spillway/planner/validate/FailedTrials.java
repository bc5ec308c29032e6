package io.spillway.planner.validate;

import io.spillway.planner.Parallel;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a list of trials tells about why some failed. A list that gives no reasons still tells
/// memory where the same cut ran with a smaller micro-batch and never with one as large, and it
/// tells something else where the same cut ran with a larger one.
enum FailedTrials {
  /// A smaller micro-batch of the same cut ran, no larger one did.
  MEMORY,
  /// A larger micro-batch of the same cut ran, so that memory was not the reason.
  NOT_MEMORY,
  /// One of its stages holds nothing that can be trained.
  NO_WEIGHTS,
  /// No micro-batch of the same cut ran.
  UNTOLD;

  /// Of a failed row among all rows.
  static FailedTrials of(Measured failed, List<Measured> rows) {
    if (failed.doubt().isPresent()) {
      return NO_WEIGHTS;
    }
    boolean smaller = false;
    for (Measured r : rows) {
      if (r.seconds().isEmpty() || !r.group().equals(failed.group()) || !same(r, failed)) {
        continue;
      }
      if (r.cut().microBatch() > failed.cut().microBatch()) {
        return NOT_MEMORY;
      }
      smaller |= r.cut().microBatch() < failed.cut().microBatch();
    }
    return smaller ? MEMORY : UNTOLD;
  }

  private static boolean same(Measured a, Measured b) {
    Parallel x = a.cut();
    Parallel y = b.cut();
    return x.tp() == y.tp() && x.pp() == y.pp() && x.dp() == y.dp();
  }

  /// How many failed rows of each kind there are, and how many of them fit by `gib` against `card`.
  static Map<FailedTrials, int[]> count(List<Measured> rows, double[] gib, double margin) {
    Map<FailedTrials, int[]> counts = new TreeMap<>();
    for (FailedTrials kind : values()) {
      counts.put(kind, new int[2]);
    }
    for (int i = 0; i < gib.length; i++) {
      if (rows.get(i).seconds().isEmpty()) {
        int[] count = counts.getOrDefault(of(rows.get(i), rows), new int[2]);
        count[0]++;
        count[1] += fits(rows.get(i), gib[i], margin) ? 1 : 0;
      }
    }
    return counts;
  }

  /// Whether a row fits the smallest card with that share of it free.
  static boolean fits(Measured row, double gib, double margin) {
    return gib <= smallestCard(row) * (1 - margin);
  }

  private static double smallestCard(Measured row) {
    return row.cluster().nodes().stream()
        .mapToDouble(n -> n.accelerator().memory().gib())
        .min()
        .orElseThrow();
  }
}
