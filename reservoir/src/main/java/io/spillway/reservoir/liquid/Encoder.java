package io.spillway.reservoir.liquid;

import io.spillway.platform.Progress;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// Runs a liquid over many recordings on all cores.
public final class Encoder {
  private Encoder() {}

  /// Counts of every recording, `[recordings][segments * neurons]`.
  ///
  /// @param each reads recording `i` and gives its frames; called from several threads
  public static float[][] encode(
      Simulator liquid, int recordings, IntFunction<SpikeFrames> each, Progress progress) {
    float[][] out = new float[recordings][];
    try (Progress.Task task = progress.start("encode", recordings)) {
      parallel(
          recordings,
          i -> {
            out[i] = liquid.run(each.apply(i), i).counts();
            synchronized (task) {
              task.advance(1);
            }
          });
    }
    return out;
  }

  /// Runs `work` for `0 .. count - 1` on all cores.
  public static void parallel(int count, IntConsumer work) {
    IntStream.range(0, count).parallel().forEach(work);
  }
}
