package io.spillway.longcontext.own;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// The rows of one step, flattened; only the chosen positions are predicted, so that the large
/// output matrix is not multiplied for the others.
///
/// @param ids `[rows * length]`
/// @param places predicted positions in the flattened rows
/// @param targets the token after each place
/// @param weights weight of each place in the loss
/// @param sum of all weights
record Batch(
    long[] ids, int rows, int length, long[] places, long[] targets, float[] weights, double sum) {
  /// One text position in so many counts, with so much more weight.
  private static final int TEXT_SHARE = 8;

  static Batch of(List<TrainingRows.Row> rows, int length, RandomGenerator random) {
    long[] ids = new long[rows.size() * length];
    long[] places = new long[ids.length];
    long[] targets = new long[ids.length];
    float[] weights = new float[ids.length];
    int chosen = 0;
    double sum = 0;
    for (int r = 0; r < rows.size(); r++) {
      TrainingRows.Row row = rows.get(r);
      for (int i = 0; i < length; i++) {
        int at = r * length + i;
        ids[at] = row.ids()[i];
        float weight = row.weights()[i];
        if (weight == TrainingRows.TEXT_WEIGHT) {
          weight = random.nextInt(TEXT_SHARE) == 0 ? weight * TEXT_SHARE : 0;
        }
        if (weight > 0) {
          places[chosen] = at;
          targets[chosen] = row.ids()[i + 1];
          weights[chosen++] = weight;
          sum += weight;
        }
      }
    }
    return new Batch(
        ids,
        rows.size(),
        length,
        Arrays.copyOf(places, chosen),
        Arrays.copyOf(targets, chosen),
        Arrays.copyOf(weights, chosen),
        sum);
  }
}
