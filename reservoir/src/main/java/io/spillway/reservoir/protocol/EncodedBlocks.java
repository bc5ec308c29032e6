package io.spillway.reservoir.protocol;

import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.LiquidResponse;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// An encoding on its way, block by block: who takes the last recording of a block writes it.
///
/// **Shapes:** a block is `[spikes, input spikes, additions]` as longs, then one byte a count of
/// `[recordings of the block][width]`.
final class EncodedBlocks {
  private static final int SUMS = 3;

  private final Counts counts;
  private final int block;
  private final AtomicIntegerArray missing; // recordings not yet taken, of each block
  private final AtomicLongArray sums; // [blocks][SUMS]
  private @Nullable BlockFolder folder;

  EncodedBlocks(int size, int width, int block) {
    this.counts = new Counts(size, width);
    this.block = block;
    int blocks = (size + block - 1) / block;
    this.missing = new AtomicIntegerArray(blocks);
    this.sums = new AtomicLongArray(blocks * SUMS);
    for (int b = 0; b < blocks; b++) {
      missing.set(b, Math.min(block, size - b * block));
    }
  }

  /// Takes the finished blocks of a folder and keeps the others there. Called before any is taken.
  void keepIn(BlockFolder kept) {
    for (int b = 0; b < missing.length(); b++) {
      int first = b * block;
      int recordings = missing.get(b);
      int at = b * SUMS;
      kept.read(b, bytes(recordings))
          .ifPresent(content -> {
            for (int s = 0; s < SUMS; s++) {
              sums.set(at + s, content.getLong());
            }
            for (int i = 0; i < recordings; i++) {
              counts.read(first + i, content);
            }
            missing.set(first / block, 0);
          });
    }
    folder = kept;
  }

  private long bytes(int recordings) {
    return (long) SUMS * Long.BYTES + (long) recordings * counts.width();
  }

  /// Recordings of finished blocks.
  int known() {
    return counts.size() - missing().length;
  }

  /// The recordings of blocks that are not finished.
  int[] missing() {
    return IntStream.range(0, counts.size()).filter(i -> missing.get(i / block) > 0).toArray();
  }

  boolean done(int recording) {
    return missing.get(recording / block) == 0;
  }

  /// Takes the answer to a recording; each is taken once, from any thread.
  void take(int i, LiquidResponse response) {
    int b = i / block;
    counts.set(i, response.counts());
    sums.addAndGet(b * SUMS, response.spikes());
    sums.addAndGet(b * SUMS + 1, response.inputSpikes());
    sums.addAndGet(b * SUMS + 2, response.additions());
    BlockFolder kept = folder;
    if (missing.decrementAndGet(b) == 0 && kept != null) {
      int first = b * block;
      int recordings = Math.min(block, counts.size() - first);
      ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(bytes(recordings)));
      for (int s = 0; s < SUMS; s++) {
        content.putLong(sums.get(b * SUMS + s));
      }
      for (int r = 0; r < recordings; r++) {
        counts.write(first + r, content);
      }
      kept.write(b, content.flip());
    }
  }

  Encoding finished() {
    long[] totals = new long[SUMS];
    for (int k = 0; k < sums.length(); k++) {
      totals[k % SUMS] += sums.get(k);
    }
    return new Encoding(counts, totals[0], totals[1], totals[2]);
  }
}
