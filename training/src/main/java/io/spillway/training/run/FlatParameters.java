package io.spillway.training.run;

import io.spillway.models.DecoderConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The parameters of a decoder as one flat array in forward order, cut into the blocks that run one
/// after another: the embedding, each layer, and the last norm with the output matrix.
public final class FlatParameters {
  /// One weight.
  ///
  /// @param name its Hugging Face name
  /// @param shape its sizes
  /// @param from its first parameter
  /// @param size its parameters
  public record Weight(String name, long[] shape, long from, long size) {}

  private final Map<String, Weight> weights = new LinkedHashMap<>();
  private final List<long[]> blocks = new ArrayList<>();
  private final long size;

  /// Lays out the weights of `config`.
  public FlatParameters(DecoderConfig config) {
    long at = 0;
    int block = -1;
    for (Map.Entry<String, long[]> e : config.shapes().entrySet()) {
      long n = 1;
      for (long s : e.getValue()) {
        n *= s;
      }
      int mine = block(e.getKey(), config.layers());
      if (mine != block) {
        blocks.add(new long[] {at, at});
        block = mine;
      }
      weights.put(e.getKey(), new Weight(e.getKey(), e.getValue(), at, n));
      at += n;
      blocks.getLast()[1] = at;
    }
    size = at;
  }

  private static int block(String name, int layers) {
    if (name.startsWith("model.embed_tokens")) {
      return 0;
    }
    if (name.startsWith("model.layers.")) {
      return 1 + Integer.parseInt(name.split("\\.")[2]);
    }
    return 1 + layers;
  }

  /// All parameters.
  public long size() {
    return size;
  }

  /// In forward order.
  public List<Weight> weights() {
    return List.copyOf(weights.values());
  }

  /// Number of blocks.
  public int blocks() {
    return blocks.size();
  }

  /// First parameter of a block.
  public long from(int block) {
    return blocks.get(block)[0];
  }

  /// One past the last parameter of a block.
  public long to(int block) {
    return blocks.get(block)[1];
  }
}
