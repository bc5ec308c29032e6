package io.spillway.reservoir.liquid;

import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// Work over many recordings on all cores.
public final class Encoder {
  private Encoder() {}

  /// Runs `work` for `0 .. count - 1` on all cores.
  public static void parallel(int count, IntConsumer work) {
    IntStream.range(0, count).parallel().forEach(work);
  }
}
