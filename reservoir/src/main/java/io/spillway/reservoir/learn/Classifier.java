package io.spillway.reservoir.learn;

import java.util.stream.IntStream;

/// Tells the class of a recording by its spike counts.
public interface Classifier {
  /// One score a class for one recording's counts.
  float[] scores(float[] counts);

  /// The classes of the largest score of many recordings.
  default int[] predict(Counts counts) {
    return IntStream.range(0, counts.size())
        .parallel()
        .map(i -> {
          float[] row = new float[counts.width()];
          counts.copy(i, row);
          return Dense.argmax(scores(row));
        })
        .toArray();
  }
}
