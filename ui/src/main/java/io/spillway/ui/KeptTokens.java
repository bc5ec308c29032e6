package io.spillway.ui;

import java.util.Arrays;

/// Which tokens the cache still holds, told from its evictions.
///
/// **Shapes:** for each layer and head the numbers of the tokens in their order of reading.
final class KeptTokens {
  private final int layers;
  private final int heads;
  private final int[][][] held; // [layers][heads][entries]
  private final int[] read; // [layers], tokens that the layer has seen

  KeptTokens(int layers, int heads) {
    this.layers = layers;
    this.heads = heads;
    this.held = new int[layers][heads][0];
    this.read = new int[layers];
  }

  /// A layer that had taken every token up to `seen` keeps these places.
  ///
  /// @param places for each head in turn, places among the entries before the eviction
  void evicted(int layer, long[] places, int seen) {
    int each = places.length / heads;
    for (int head = 0; head < heads; head++) {
      int[] before = withNew(held[layer][head], read[layer], seen);
      int[] after = new int[each];
      for (int i = 0; i < each; i++) {
        after[i] = before[(int) places[head * each + i]];
      }
      held[layer][head] = after;
    }
    read[layer] = seen;
  }

  /// For each of the first `seen` tokens, the share of layers and heads that hold it, in percent.
  int[] shares(int seen) {
    int[] counts = new int[seen];
    for (int layer = 0; layer < layers; layer++) {
      for (int head = 0; head < heads; head++) {
        for (int token : withNew(held[layer][head], read[layer], seen)) {
          counts[token]++;
        }
      }
    }
    for (int i = 0; i < seen; i++) {
      counts[i] = Math.round(100f * counts[i] / (layers * heads));
    }
    return counts;
  }

  private static int[] withNew(int[] entries, int from, int to) {
    int[] all = Arrays.copyOf(entries, entries.length + to - from);
    for (int token = from; token < to; token++) {
      all[entries.length + token - from] = token;
    }
    return all;
  }
}
