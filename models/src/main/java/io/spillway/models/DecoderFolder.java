package io.spillway.models;

import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// A decoder loaded from a Hugging Face folder. On the CPU in the type of the file the weights stay
/// mapped from it, without a copy; another type copies weight by weight, and a GPU gets joined
/// projections, see [FusedWeights].
public final class DecoderFolder implements AutoCloseable {
  private final Path folder;
  private final Decoder decoder;
  private final TensorHolder holder;

  private DecoderFolder(Path folder, Decoder decoder, TensorHolder holder) {
    this.folder = folder;
    this.decoder = decoder;
    this.holder = holder;
  }

  /// Opens `config.json` and the safetensors of a folder.
  ///
  /// **Errors:** missing shards, missing weights, wrong shapes or types, each with its name.
  ///
  /// @param type the type to compute in
  public static DecoderFolder open(Path folder, DType type, ComputeDevice device) {
    DecoderConfig config = ConfigReader.read(folder);
    TensorHolder holder = new TensorHolder();
    Map<String, Tensor> tensors = new HashMap<>();
    try (Weights weights = Weights.open(folder);
        TensorScope scope = TensorScope.open()) {
      check(folder, config, weights);
      if (device.isCuda()) {
        FusedWeights fused = new FusedWeights(config, type, device, holder);
        config
            .shapes()
            .forEach((name, shape) ->
                TensorScope.run(() -> fused.room(name, shape).copy_(weights.tensor(name))));
        tensors.putAll(fused.tensors());
      } else {
        for (String name : config.weightNames()) {
          tensors.put(name, holder.hold(Tensors.to(weights.tensor(name), type)));
        }
      }
      return new DecoderFolder(folder, new Decoder(config, tensors), holder);
    } catch (RuntimeException e) {
      holder.close();
      throw e;
    }
  }

  private static void check(Path folder, DecoderConfig config, Weights weights) {
    config
        .shapes()
        .forEach((name, shape) -> {
          if (!weights.contains(name)) {
            throw SpillwayException.badFile(
                folder,
                "",
                "the weight %s is missing; every shard of the model must be there",
                name);
          }
          var entry = weights.model().entry(name);
          long[] found = entry.shape().stream().mapToLong(Long::longValue).toArray();
          if (!Arrays.equals(found, shape)) {
            throw SpillwayException.badFile(
                folder,
                "",
                "the weight %s has the shape %s, config.json asks for %s",
                name,
                Arrays.toString(found),
                Arrays.toString(shape));
          }
          if (!entry.dtype().isFloating()) {
            throw SpillwayException.badFile(
                folder,
                "",
                "the weight %s has the type %s, a floating type is needed (quantised weights"
                    + " are not supported)",
                name,
                entry.dtype());
          }
        });
  }

  public Path folder() {
    return folder;
  }

  public Decoder decoder() {
    return decoder;
  }

  public DecoderConfig config() {
    return decoder.config();
  }

  @Override
  public void close() {
    holder.close();
  }
}
