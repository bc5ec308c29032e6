package io.spillway.longcontext.retain;

import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.silu;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// One small network per layer that scores each token's cache entry from its query, key and value
/// before rotation: `W2 · silu(W1 · [q; k; v])`, one score per key-value head.
///
/// **Shapes:** `W1` `[width, (heads + 2 kvHeads) headDim]`, `W2` `[kvHeads, width]`. **Source:**
/// Locret, section 3.1.
public final class RetainingHeads implements AutoCloseable {
  private final int width;
  private final TensorHolder holder = new TensorHolder();
  private final List<Tensor> first = new ArrayList<>();
  private final List<Tensor> second = new ArrayList<>();

  private RetainingHeads(int width) {
    this.width = width;
  }

  private static long inputs(DecoderConfig config) {
    return (long) (config.heads() + 2 * config.kvHeads()) * config.headDim();
  }

  /// Fresh heads with random weights on the CPU.
  public static RetainingHeads fresh(DecoderConfig config, int width, RandomGenerator random) {
    return fresh(config, width, random, Devices.cpu());
  }

  /// Fresh heads with random weights.
  public static RetainingHeads fresh(
      DecoderConfig config, int width, RandomGenerator random, ComputeDevice device) {
    RetainingHeads heads = new RetainingHeads(width);
    long inputs = inputs(config);
    try (TensorScope scope = TensorScope.open()) {
      for (int layer = 0; layer < config.layers(); layer++) {
        Tensor first = gaussian(random, width, inputs);
        Tensor second = gaussian(random, config.kvHeads(), width);
        heads.first.add(heads.holder.hold(Tensors.to(first, device)));
        heads.second.add(heads.holder.hold(Tensors.to(second, device)));
      }
    }
    return heads;
  }

  /// Fresh heads made on a device, for measurements.
  public static RetainingHeads random(
      DecoderConfig config, int width, ComputeDevice device, DType type) {
    RetainingHeads heads = new RetainingHeads(width);
    long inputs = inputs(config);
    try (TensorScope scope = TensorScope.open()) {
      for (int layer = 0; layer < config.layers(); layer++) {
        Tensor w1 = Tensors.empty(type, device, width, inputs);
        Tensor w2 = Tensors.empty(type, device, config.kvHeads(), width);
        heads.first.add(
            heads.holder.hold(w1.normal_(0, 1 / Math.sqrt(inputs), new GeneratorOptional())));
        heads.second.add(
            heads.holder.hold(w2.normal_(0, 1 / Math.sqrt(width), new GeneratorOptional())));
      }
    }
    return heads;
  }

  /// The same heads on another device and in another type.
  public RetainingHeads to(ComputeDevice device, DType type) {
    RetainingHeads moved = new RetainingHeads(width);
    try (TensorScope scope = TensorScope.open()) {
      for (int layer = 0; layer < first.size(); layer++) {
        moved.first.add(moved.holder.hold(Tensors.to(first.get(layer), device, type)));
        moved.second.add(moved.holder.hold(Tensors.to(second.get(layer), device, type)));
      }
    }
    return moved;
  }

  private static Tensor gaussian(RandomGenerator random, long rows, long columns) {
    float[] values = new float[Math.toIntExact(rows * columns)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
    }
    return Tensors.of(values, rows, columns);
  }

  /// Reads heads for a model onto the CPU.
  ///
  /// **Errors:** heads of another model, with both shapes.
  public static RetainingHeads load(Path file, DecoderConfig config) {
    return load(file, config, Devices.cpu());
  }

  /// Reads heads for a model.
  ///
  /// **Errors:** heads of another model, with both shapes.
  public static RetainingHeads load(Path file, DecoderConfig config, ComputeDevice device) {
    try (Weights weights = Weights.open(file);
        TensorScope scope = TensorScope.open()) {
      String name = name(0, 1);
      if (!weights.contains(name)) {
        throw SpillwayException.badFile(
            file, "", "no retaining heads (the weight %s is missing)", name);
      }
      RetainingHeads heads =
          new RetainingHeads(Math.toIntExact(weights.model().entry(name).shape().getFirst()));
      for (int layer = 0; layer < config.layers(); layer++) {
        String at = name(layer, 1);
        heads.first.add(heads.read(file, weights, at, heads.width, inputs(config), device));
        at = name(layer, 2);
        heads.second.add(heads.read(file, weights, at, config.kvHeads(), heads.width, device));
      }
      if (weights.contains(name(config.layers(), 1))) {
        throw SpillwayException.badFile(
            file,
            "",
            "these heads belong to another model: they have more than the model's %d layers",
            config.layers());
      }
      return heads;
    }
  }

  private Tensor read(
      Path file, Weights weights, String name, long rows, long columns, ComputeDevice device) {
    long[] wanted = {rows, columns};
    if (!weights.contains(name)) {
      throw SpillwayException.badFile(
          file, "", "these heads belong to another model: %s is missing", name);
    }
    long[] found =
        weights.model().entry(name).shape().stream().mapToLong(Long::longValue).toArray();
    if (!Arrays.equals(found, wanted)) {
      throw SpillwayException.badFile(
          file,
          "",
          "these heads belong to another model: %s has the shape %s, this model needs %s",
          name,
          Arrays.toString(found),
          Arrays.toString(wanted));
    }
    return holder.hold(Tensors.to(weights.tensor(name), device, DType.F32));
  }

  private static String name(int layer, int matrix) {
    return "layers." + layer + ".retaining_head.w" + matrix + ".weight";
  }

  /// Writes the heads as safetensors, in f16.
  public void save(Path file, Map<String, String> metadata) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      for (int layer = 0; layer < first.size(); layer++) {
        tensors.put(name(layer, 1), Tensors.to(first.get(layer).detach(), DType.F16));
        tensors.put(name(layer, 2), Tensors.to(second.get(layer).detach(), DType.F16));
      }
      Weights.save(file, tensors, metadata);
    }
  }

  /// All weights, layer by layer.
  List<Tensor> parameters() {
    List<Tensor> all = new ArrayList<>();
    for (int layer = 0; layer < first.size(); layer++) {
      all.add(first.get(layer));
      all.add(second.get(layer));
    }
    return all;
  }

  public int width() {
    return width;
  }

  /// Number of weights.
  public long size() {
    return parameters().stream().mapToLong(Tensor::numel).sum();
  }

  /// Scores of tokens: `[kvHeads, tokens]` f32.
  public Tensor score(int layer, Decoder.Qkv qkv) {
    TensorVector parts = new TensorVector(flat(qkv.query()), flat(qkv.key()), flat(qkv.value()));
    Tensor w1 = first.get(layer);
    Tensor features = Tensors.to(torch.cat(parts, 1), Tensors.dtype(w1));
    Tensor hidden = silu(linear(features, w1));
    return Tensors.to(linear(hidden, second.get(layer)), DType.F32).transpose(0, 1);
  }

  /// `[1, heads, tokens, headDim]` to `[tokens, heads * headDim]`.
  private static Tensor flat(Tensor x) {
    return x.squeeze(0).transpose(0, 1).reshape(x.size(2), x.size(1) * x.size(3));
  }

  @Override
  public void close() {
    holder.close();
  }
}
